-- Which entries a person at the hub should see. Site and time are the entry's own, for the index.
CREATE TABLE mark (
  journal INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  site TEXT NOT NULL,
  received_ns INTEGER NOT NULL,
  PRIMARY KEY (journal, sequence, kind),
  FOREIGN KEY (journal, sequence) REFERENCES entry (journal, sequence) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX mark_by_kind ON mark (kind, received_ns);
