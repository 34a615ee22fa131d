-- A device is known by its key from now on; one of before keeps its token until it is enrolled.
-- SQLite cannot drop NOT NULL from a column: the table is built anew. Nothing refers to it.
CREATE TABLE device_8 (
  name TEXT PRIMARY KEY,
  enrolled_ns INTEGER NOT NULL,
  public_key BLOB UNIQUE,
  site TEXT NOT NULL DEFAULT '',
  serial TEXT NOT NULL DEFAULT '',
  denied_ns INTEGER,
  expires_ns INTEGER,
  token_sha256 BLOB UNIQUE
) WITHOUT ROWID;

INSERT INTO device_8 (name, enrolled_ns, token_sha256)
  SELECT name, enrolled_ns, token_sha256 FROM device;

DROP TABLE device;

ALTER TABLE device_8 RENAME TO device;
