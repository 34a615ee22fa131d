-- Codes that count once and have been used: a keyed digest of what is used up, and when the code's
-- validity ends. They cannot be made anew: without them a code could be used twice within its window.
CREATE TABLE used_code (
    digest BLOB PRIMARY KEY,
    expires_ns INTEGER NOT NULL,
    crc INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX used_code_by_expiry ON used_code (expires_ns);
