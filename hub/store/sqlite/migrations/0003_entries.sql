-- `through`: every entry from 1 up to it is held, or was until it was pruned.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  journal BLOB NOT NULL,
  through INTEGER NOT NULL DEFAULT 0,
  UNIQUE (device, journal)
);

-- `packed` is what was hashed; site to outcome are read out of it, null where that failed.
-- `person` is the unsigned 64-bit key as two's complement.
CREATE TABLE entry (
  journal INTEGER NOT NULL REFERENCES journal (id),
  sequence INTEGER NOT NULL,
  chain_hash BLOB NOT NULL,
  packed BLOB NOT NULL,
  site TEXT,
  wall_ns INTEGER,
  person INTEGER,
  outcome TEXT,
  received_ns INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence)
) WITHOUT ROWID;

CREATE INDEX entry_by_site ON entry (site, wall_ns) WHERE site IS NOT NULL;
CREATE INDEX entry_by_person ON entry (person, wall_ns) WHERE person IS NOT NULL;

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
  PRIMARY KEY (journal, sequence, kind)
) WITHOUT ROWID;
