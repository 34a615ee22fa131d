CREATE TABLE person (
  number INTEGER PRIMARY KEY,
  doses INTEGER NOT NULL,
  product INTEGER NOT NULL,
  last_dose TEXT,
  recovered TEXT,
  born TEXT,
  vulnerable INTEGER NOT NULL,
  isolation_until TEXT,
  district INTEGER NOT NULL
);

-- Clustered by person: the publisher reads it from front to back.
CREATE TABLE identifier (
  person INTEGER NOT NULL REFERENCES person (number) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  status INTEGER NOT NULL,
  PRIMARY KEY (person, place),
  UNIQUE (kind, value)
) WITHOUT ROWID;
