"""The replica as it lies on the disk: looked at without the daemon, and without touching it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from admission.enquiry import Purpose
from admission.identity import Identifier
from appliance.clock import SystemClock
from appliance.config import Config, site_of
from appliance.documents import Documents
from appliance.enquiries import Enquiries
from appliance.errors import ApplianceError
from appliance.records import JOURNAL, open_database
from appliance.replica_keeping import REPLICA, TRUST, subscription_of
from appliance.sealing_key import SealingKey
from appliance.secret import device_key
from cache.journal.file_journal import FileJournal
from cache.journal.outbox import watermarks
from cache.replica.book import ReplicaBook
from cache.replica.generation import Generation
from cache.replica.head import SignedHead
from cache.replica.keys import hash_key_id, load_hash_key, load_root
from cache.replica.regular import open_regular
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust

_MAX_TRUST_FILE_BYTES = 4 << 20


class Stored(msgspec.Struct, frozen=True):
    """What lies on the disk. `trust` is a copy: whatever it learns is forgotten afterwards."""

    folder: Path
    store: ReplicaStore
    trust: Trust

    def current(self) -> Generation:
        """Return the release that answers here.

        :raises ApplianceError: if there is none.
        """
        generation, before = self.store.peek()
        generation = generation or before
        if generation is None:
            raise self._empty()
        return generation

    def head(self) -> SignedHead:
        """Return the head of the release that answers here, or would, were its files sound.

        :raises ApplianceError: if there is none.
        """
        for signed in self.store.heads():
            return signed
        raise self._empty()

    def _empty(self) -> ApplianceError:
        msg = f"no release is in {self.folder}"
        return ApplianceError(
            msg, hint="start the gate with its hub in reach, or import one: chot replica import"
        )


@contextmanager
def stored(config: Config) -> Iterator[Stored]:
    """Yield what an appliance's replica holds, daemon or none. Nothing of it is changed.

    :raises CacheError: if a key file or the trust that is kept cannot be used.
    """
    state = Path(config.appliance.state_dir)
    folder = state / REPLICA
    key_id = hash_key_id(load_hash_key(Path(config.hub.hash_key_file)))
    with TemporaryDirectory(prefix="chot-") as scratch:
        copy = Path(scratch) / TRUST
        copy_trust(state / TRUST, copy)
        trust = Trust.open(copy, load_root(Path(config.hub.root_file)))
        store = ReplicaStore(folder, trust, key_id, takes=subscription_of(config))
        yield Stored(folder, store, trust)


def copy_trust(folder: Path, copy: Path) -> None:
    """Copy what a running gate may replace meanwhile; what is gone by then is fetched anew."""
    copy.mkdir()
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            with open_regular(path) as file:
                data = file.read(_MAX_TRUST_FILE_BYTES)
        except OSError:
            continue
        (copy / path.name).write_bytes(data)


def stored_status(config: Config) -> dict[str, Any]:
    """Return what lies on the disk, with the names of `ReplicaStatus` as far as they apply.

    :raises CacheError: as `stored`.
    """
    with stored(config) as here:
        generation, before = here.store.peek()
        generation = generation or before
        refused = here.store.refused
        head = generation.signed.head if generation else None
        book = _book(config, generation)
        return {
            "sequence": head.sequence if head else None,
            "issued_ns": head.issued_ns if head else None,
            "expires_ns": head.expires_ns if head else None,
            "datasets": book.rows_by_kind,
            "documents": len(generation.documents) if generation else 0,
            "missing": generation.missing if generation else 0,
            "damaged_pages": book.damaged_pages,
            "last_error": str(refused[0]) if refused else "",
            "last_error_hint": refused[0].hint if refused else "",
        }


async def enquire(config: Config, identifier: Identifier, purpose: Purpose) -> dict[str, Any]:
    """Return what is on record under a number, after an entry in the journal; see `Enquiries`.

    :raises ChotError: if the journal or the replica cannot be used; then nothing is told.
    """
    state, clock = Path(config.appliance.state_dir), SystemClock()
    with stored(config) as here:
        async with open_database(state) as database:
            acknowledged = await watermarks(database)
        current = here.current()
        documents = Documents()
        documents.replace(current.named_documents)
        sealing = SealingKey(documents)
        journal = await FileJournal.open(
            state / JOURNAL,
            monotonic_ns=clock.monotonic_ns,
            random_bytes=os.urandom,
            acknowledged=acknowledged,
            recipient=lambda: sealing.recipient,
        )
        try:
            enquiries = Enquiries(
                site_of(config),
                book=_book(config, current),
                journal=journal,
                clock=clock,
                digest_key=device_key(state / "device.key", os.urandom),
            )
            return await enquiries.answer(identifier, purpose)
        finally:
            await journal.close()


def _book(config: Config, generation: Generation | None) -> ReplicaBook:
    book = ReplicaBook(load_hash_key(Path(config.hub.hash_key_file)))
    if generation is not None:
        book.swap(generation.segments, generation.signed.head)
    return book
