-- The identifiers that each change has touched, under the revision that it made: what of a register
-- may differ from what is published.
CREATE TABLE change_log (
  register TEXT NOT NULL,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (register, revision, kind, value)
) WITHOUT ROWID;

-- The log is whole after revision `logged_after`, and holds `logged` identifiers of those before the
-- present one.
ALTER TABLE revision ADD COLUMN logged_after INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN logged INTEGER NOT NULL DEFAULT 0;
UPDATE revision SET logged_after = number;
