"""What a journal's files say of themselves where no anchor that could be believed is there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from admission.passage import genesis
from cache.journal.anchor import Pruned, digest_of_kept
from cache.journal.catalogue import JournalFile, list_files, read_file
from cache.journal.errors import JournalDamaged
from cache.journal.frame import FIRST_VERSION, HEADER_BYTES, Header, unpack_header
from cache.journal.medium import Medium, NotAFile
from cache.journal.scan import PrunedRun, scan


def found(medium: Medium, directory: Path, journal: bytes) -> Pruned:
    """Return how far the files look pruned. Blocking: reads those in which a pruned run may stand.

    :raises OSError: as the medium does.
    """
    files = list_files(medium, directory)
    if not files:
        return _pruned(0, genesis(journal), [])
    live = len(files) - 1
    while live > 0 and not _has_run(medium, files[live - 1]):
        live -= 1
    header = _header(medium, files[live])
    # Without a header nobody knows the hash: verification reports the file in any case.
    before = header.chain_before if header else genesis(journal)
    kept = [(file.first_sequence, sha256_of(medium, file)) for file in files[:live]]
    return _pruned(files[live].first_sequence - 1, before, kept)


def sha256_of(medium: Medium, file: JournalFile) -> bytes:
    """Return the SHA-256 of a file's bytes, as far as a journal's file can be long.

    :raises OSError: as the medium does.
    """
    try:
        return hashlib.sha256(read_file(medium, file)).digest()
    except JournalDamaged:
        return hashlib.sha256().digest()


def _pruned(through: int, chain_hash: bytes, kept: list[tuple[int, bytes]]) -> Pruned:
    digest = digest_of_kept(kept)
    return Pruned(through, chain_hash, digest, digest)


def _header(medium: Medium, file: JournalFile) -> Header | None:
    try:
        return unpack_header(medium.read(file.path, 0, HEADER_BYTES))
    except (NotAFile, FileNotFoundError):
        return None


def _has_run(medium: Medium, file: JournalFile) -> bool:
    header = _header(medium, file)
    if header is not None and header.version == FIRST_VERSION:
        return False  # whoever prunes writes the present version: spares weeks of old files
    try:
        findings = scan(read_file(medium, file), file.first_sequence)
    except JournalDamaged:
        return False
    return any(isinstance(finding, PrunedRun) for finding in findings)
