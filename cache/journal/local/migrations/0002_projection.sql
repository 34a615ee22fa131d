-- How far the tables below tell of the journal: one row. `zone` says for which site and which daily
-- reset its records are kept; `whole` whether none is missing from before that was so; `ordinal` and
-- `last_dated` are those of cache.journal.local.reset_window.
CREATE TABLE projection (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    journal BLOB NOT NULL,
    through INTEGER NOT NULL,
    zone TEXT NOT NULL,
    whole INTEGER NOT NULL,
    ordinal INTEGER,
    last_dated INTEGER NOT NULL,
    crc INTEGER NOT NULL
);

-- What the zone is rebuilt from: its records since the last reset, some of them in each row.
CREATE TABLE zone_chunk (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    records INTEGER NOT NULL,
    packed BLOB NOT NULL,
    crc INTEGER NOT NULL
);

-- What occurs in a run of entries, and where the first of them begins. Bit n of a set is the name
-- of number n and of that kind; the highest bit stands for all names that have no number. `about` is
-- the first entry of which something in the run followed.
CREATE TABLE block (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    file INTEGER NOT NULL,
    place INTEGER NOT NULL,
    earliest_ms INTEGER NOT NULL,
    latest_ms INTEGER NOT NULL,
    about INTEGER NOT NULL,
    outcomes BLOB NOT NULL,
    events BLOB NOT NULL,
    lanes BLOB NOT NULL,
    reasons BLOB NOT NULL,
    crc INTEGER NOT NULL
);

CREATE TABLE name (
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
) WITHOUT ROWID;

-- `day` is the proleptic ordinal of the site's day (1 = 0001-01-01), 0 where nobody vouched for the
-- date.
CREATE TABLE count (
    journal BLOB NOT NULL,
    day INTEGER NOT NULL,
    lane TEXT NOT NULL,
    direction TEXT NOT NULL,
    event TEXT NOT NULL,
    what TEXT NOT NULL,
    entries INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (journal, day, lane, direction, event, what)
) WITHOUT ROWID;
