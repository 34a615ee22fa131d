CREATE TABLE enrolment_token (
  secret_sha256 BLOB PRIMARY KEY,
  site TEXT NOT NULL,
  serial TEXT NOT NULL,
  device TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL,
  used_by BLOB
) WITHOUT ROWID;

-- A token makes one request. One without a token comes from a gate whose certificate has ended.
CREATE TABLE enrolment_request (
  number TEXT PRIMARY KEY,
  secret_sha256 BLOB UNIQUE REFERENCES enrolment_token (secret_sha256),
  device TEXT NOT NULL,
  site TEXT NOT NULL,
  serial TEXT NOT NULL,
  public_key BLOB NOT NULL,
  created_ns INTEGER NOT NULL,
  state TEXT NOT NULL,
  decided_ns INTEGER
) WITHOUT ROWID;

CREATE UNIQUE INDEX enrolment_request_again ON enrolment_request (public_key)
  WHERE secret_sha256 IS NULL AND state = 'pending';

-- Every certificate that the authority has signed, for as long as somebody may ask.
CREATE TABLE issued_certificate (
  serial_number TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  public_key BLOB NOT NULL,
  not_before_ns INTEGER NOT NULL,
  not_after_ns INTEGER NOT NULL,
  der BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX issued_certificate_by_key ON issued_certificate (public_key, not_after_ns);
