-- Numbers that were looked up and found nowhere: when, and in which lane. Not which.
CREATE TABLE wrong_number (
    sequence INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    wall_ms INTEGER NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    boot TEXT NOT NULL,
    trust TEXT NOT NULL,
    crc INTEGER NOT NULL
);
