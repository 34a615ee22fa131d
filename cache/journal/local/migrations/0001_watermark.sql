-- Through which entry the hub has acknowledged each journal; `mark` are the bytes it signed for
-- that, empty where it signed none.
CREATE TABLE watermark (
    journal BLOB PRIMARY KEY CHECK (length(journal) = 16),
    acknowledged_through INTEGER NOT NULL CHECK (acknowledged_through >= 0),
    mark BLOB NOT NULL,
    crc INTEGER NOT NULL
) WITHOUT ROWID;
