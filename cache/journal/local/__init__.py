"""What can be rebuilt of a journal, in one SQLite file beside it: watermark, index, counts."""
