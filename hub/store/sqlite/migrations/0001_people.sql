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

CREATE TABLE identifier (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  person INTEGER NOT NULL,
  place INTEGER NOT NULL,
  status INTEGER NOT NULL,
  PRIMARY KEY (kind, value)
) WITHOUT ROWID;

-- The publisher reads by person, from front to back.
CREATE INDEX identifier_by_person ON identifier (person, place, status);
