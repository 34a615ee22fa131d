-- One day of entries. `journal` is `journal.id` of entries.db; the file names the journals itself, so
-- that it says whose entries it holds wherever it is carried.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  journal BLOB NOT NULL
);

-- Site names once: `entry.site` and its index hold numbers.
CREATE TABLE site (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

-- `packed` is what was hashed; site to outcome are read out of it, null where that failed.
-- `person` is the unsigned 64-bit key as two's complement. Rows are appended: only indexes are
-- written out of order.
CREATE TABLE entry (
  journal INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  chain_hash BLOB NOT NULL,
  packed BLOB NOT NULL,
  site INTEGER,
  wall_ns INTEGER,
  person INTEGER,
  outcome TEXT,
  received_ns INTEGER NOT NULL
);

CREATE UNIQUE INDEX entry_by_place ON entry (journal, sequence);
CREATE INDEX entry_by_site ON entry (site, wall_ns) WHERE site IS NOT NULL;
-- Of one person a day holds a few entries: their times are read in the rows.
CREATE INDEX entry_by_person ON entry (person) WHERE person IS NOT NULL;

-- How many transactions have been committed here.
CREATE TABLE state (
  commits INTEGER NOT NULL
);

INSERT INTO state VALUES (0);

-- Which entries a person at the hub should see, and which are sessions that open seals.
CREATE TABLE mark (
  journal INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  site INTEGER,
  received_ns INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence, kind)
) WITHOUT ROWID;

CREATE INDEX mark_by_kind ON mark (kind, received_ns);
