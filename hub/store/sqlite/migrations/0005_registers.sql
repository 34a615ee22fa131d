-- One row of one register; `entry` is JSON, by the type that the register has.
CREATE TABLE register_row (
  register TEXT NOT NULL,
  key TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (register, key)
) WITHOUT ROWID;

CREATE TABLE register_identifier (
  register TEXT NOT NULL,
  key TEXT NOT NULL,
  place INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (register, key, place)
) WITHOUT ROWID;

CREATE INDEX register_by_identifier ON register_identifier (register, kind, value);

CREATE TABLE directive_order (
  district INTEGER NOT NULL,
  from_s INTEGER NOT NULL,
  directive INTEGER NOT NULL,
  PRIMARY KEY (district, from_s)
) WITHOUT ROWID;

CREATE TABLE document (
  name TEXT PRIMARY KEY,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  data BLOB NOT NULL
);

-- What was ever written, and a number that rises with every change of it.
CREATE TABLE revision (
  name TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  live INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO revision SELECT 'persons', 1, 1 WHERE EXISTS (SELECT 1 FROM person);

-- The highest number that anybody on record has had.
CREATE TABLE highest_person (
  number INTEGER NOT NULL
);

INSERT INTO highest_person SELECT coalesce(max(number), -1) FROM person;
