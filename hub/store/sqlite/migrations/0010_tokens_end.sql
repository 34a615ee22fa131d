-- Devices are known by their keys alone: what was kept of their tokens opens nothing any more.
UPDATE device SET token_sha256 = NULL;
