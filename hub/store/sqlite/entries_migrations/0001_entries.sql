-- What is known of entries beside them: the entries themselves lie in one file a day.
-- `through`: every entry from 1 up to it is held, or was until its day was dropped; `chain_hash` is
-- that entry's. `received_ns` is the last contact, `clock_off_ns` how far the gate's clock was ahead.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  journal BLOB NOT NULL,
  through INTEGER NOT NULL DEFAULT 0,
  chain_hash BLOB NOT NULL,
  first_received_ns INTEGER NOT NULL,
  received_ns INTEGER NOT NULL,
  clock_off_ns INTEGER,
  UNIQUE (device, journal)
);

CREATE INDEX journal_by_contact ON journal (received_ns);

-- `commits` is how many transactions of the day's file are accounted for here: a file that counts
-- more was committed before a crash, and what lies in it is taken up. `dropping` is 1 from the decision
-- to drop the day until its file is gone.
CREATE TABLE day (
  day INTEGER PRIMARY KEY,
  commits INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  dropping INTEGER NOT NULL DEFAULT 0
);

-- Which sequences of a journal lie in which day: disjoint, each as long as it can be.
CREATE TABLE span (
  journal INTEGER NOT NULL REFERENCES journal (id),
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  day INTEGER NOT NULL,
  PRIMARY KEY (journal, first)
) WITHOUT ROWID;

CREATE INDEX span_by_day ON span (day);

-- Public keys by which seals open: entries of later days may need them, so they outlive their day.
CREATE TABLE session (
  journal INTEGER NOT NULL REFERENCES journal (id),
  sequence INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (journal, sequence)
) WITHOUT ROWID;

CREATE TABLE conflict (
  journal INTEGER NOT NULL REFERENCES journal (id),
  sequence INTEGER NOT NULL,
  digest BLOB NOT NULL,
  chain_hash BLOB NOT NULL,
  packed BLOB NOT NULL,
  received_ns INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence, digest)
) WITHOUT ROWID;

CREATE TABLE flag (
  journal INTEGER NOT NULL REFERENCES journal (id),
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL,
  raised_ns INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence, kind)
) WITHOUT ROWID;

CREATE INDEX flag_by_time ON flag (raised_ns);
CREATE INDEX flag_by_kind ON flag (kind, raised_ns);
