"""The publisher: rows in, signed static files out, for any web server to carry.

replica/head                     the newest signed head; replaced by rename
replica/segments/<root>.segment  immutable; the one before is kept for downloads under way
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from admission.decide import MAX_CLOCK_BEHIND_NS
from admission.identity import Identifier, person_keyer
from admission.instant import Instant
from admission.standing import PersonFacts
from cache.errors import ReplicaError
from cache.replica.build import Built, RowSet, write_segment
from cache.replica.durable import rename_durably, sync, write_durably
from cache.replica.head import MAX_HEAD_BYTES, Dataset, Head, sign_head, verify_head
from cache.replica.keys import hash_key_id
from cache.replica.layout import PERSONS_2, Layout
from cache.replica.names import PERSONS
from hub.errors import PublishError
from hub.keys import HubKeys

DEFAULT_VALID_S = 30 * 24 * 3600
DEFAULT_MIN_NEXT_POLL_S = 2
PROGRESS_ROWS = 10_000
_NS = 1_000_000_000
_PUBLIC = 0o644


class Publisher:
    """Builds, signs and lays out releases under one directory. Its methods block.

    Only one publisher works on a directory at a time, over processes too: a lock sees to it that
    no sequence is ever given out twice.

    :param directory: what the web server serves; `replica/` is created in it.
    :param valid_s: how long a head counts; `revouch` well before.
    """

    def __init__(
        self,
        directory: Path,
        keys: HubKeys,
        *,
        valid_s: int = DEFAULT_VALID_S,
        min_next_poll_s: int = DEFAULT_MIN_NEXT_POLL_S,
    ) -> None:
        self._keys = keys
        self._valid_s = valid_s
        self._min_next_poll_s = min_next_poll_s
        self._folder = directory / "replica"
        self._segments = self._folder / "segments"

    def publish(
        self,
        rows: Iterable[tuple[Identifier, PersonFacts]],
        *,
        now: Instant,
        progress: Callable[[int], None] | None = None,
    ) -> Head:
        """Publish these people as the new release and return its head.

        :param rows: one per identifier, in its normal form, in any order. Give the identifiers of
            one person with the same `PersonFacts` one after the other: they are then packed once.
        :param now: the head's `issued` time.
        :param progress: called with the rows taken so far, every 10,000 and at the end.
        :raises PublishError: if facts do not fit the layout, rows contradict each other, or a file
            cannot be written. The release before stays published.
        """
        with self._exclusively():
            before = self._published()
            gathered = self._gather(rows, PERSONS_2, progress)
            built = self._write(gathered)
            dataset = Dataset(built.root, built.size, built.rows, built.layout)
            head = self._sign(before, {PERSONS: dataset}, now)
            self._prune(before, head)
            return head

    def revouch(self, now: Instant) -> Head:
        """Sign the published release again, as of now, and return the new head.

        :raises PublishError: if nothing is published, or the head cannot be written.
        """
        with self._exclusively():
            before = self._published()
            if before is None:
                raise PublishError("nothing is published yet", hint="publish a release first")
            return self._sign(before, before.datasets, now)

    def published(self) -> Head | None:
        """Return the head that is published, or None.

        :raises PublishError: if the file is there but not a head signed by our key.
        """
        with self._mapped():
            return self._published()

    def _gather(
        self,
        rows: Iterable[tuple[Identifier, PersonFacts]],
        layout: Layout[PersonFacts],
        progress: Callable[[int], None] | None,
    ) -> RowSet:
        gathered = RowSet(layout)
        key_of, add, pack = person_keyer(self._keys.hash_key), gathered.add, layout.pack
        packed: PersonFacts | None = None
        record = b""
        count = 0
        for count, (identifier, facts) in enumerate(rows, start=1):
            if facts is not packed:
                record, packed = pack(facts), facts
            add(key_of(identifier), record)
            if progress is not None and count % PROGRESS_ROWS == 0:
                progress(count)
        if progress is not None and (count % PROGRESS_ROWS or not count):
            progress(count)
        return gathered

    def _write(self, gathered: RowSet) -> Built:
        part = self._segments / "build.part"
        try:
            built = write_segment(part, gathered, hash_key_id(self._keys.hash_key))
            part.chmod(_PUBLIC)
            sync(part)
            rename_durably(part, self._segments / f"{built.root.hex()}.segment")
        finally:
            part.unlink(missing_ok=True)
        return built

    def _sign(self, before: Head | None, datasets: dict[str, Dataset], now: Instant) -> Head:
        # Never earlier than the head before, or gates would see their replica grow older; but a
        # head from a time when this clock was far ahead must not bind those that follow.
        floor_ns = before.issued_ns + 1 if before else 1
        far_ahead = floor_ns - now.wall_ns > MAX_CLOCK_BEHIND_NS
        issued_ns = now.wall_ns if far_ahead else max(now.wall_ns, floor_ns)
        head = Head(
            sequence=before.sequence + 1 if before else 1,
            issued_ns=issued_ns,
            expires_ns=issued_ns + self._valid_s * _NS,
            min_next_poll_s=self._min_next_poll_s,
            hash_key_id=hash_key_id(self._keys.hash_key),
            datasets=datasets,
            documents=before.documents if before else {},
        )
        write_durably(self._folder / "head", sign_head(head, self._keys.head), mode=_PUBLIC)
        return head

    def _published(self) -> Head | None:
        try:
            with (self._folder / "head").open("rb") as file:
                data = file.read(MAX_HEAD_BYTES + 1)
        except FileNotFoundError:
            return None
        return verify_head(data, [self._keys.public_key]).head

    def _prune(self, before: Head | None, head: Head) -> None:
        kept = {d.name for h in (before, head) if h for d in h.datasets.values()}
        for path in self._segments.glob("*.segment"):
            if path.stem not in kept:
                path.unlink()

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with self._mapped():
            self._segments.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except ReplicaError as error:
            raise PublishError(str(error), hint=error.hint) from error
        except OSError as error:
            msg = f"the release cannot be written: {error.strerror}"
            raise PublishError(msg, hint="check the disk: space, health, permissions") from error
