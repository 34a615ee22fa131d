"""The publisher: records in, signed static files out, for any web server to carry.

replica/head                            the newest signed head; replaced by rename
replica/segments/<root>.segment         immutable; those of the head before are kept for downloads
replica/documents/<sha256>.document     under way, as are its documents
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from admission.identity import Identifier
from admission.instant import Instant
from admission.local_time import MAX_CLOCK_BEHIND_NS
from admission.standing import PersonFacts
from cache.errors import ReplicaError
from cache.replica.build import Built, write_segment
from cache.replica.durable import rename_durably, sync, write_durably
from cache.replica.head import (
    MAX_DOCUMENT_BYTES,
    MAX_HEAD_BYTES,
    Dataset,
    Document,
    Head,
    sign_head,
    verify_head,
)
from cache.replica.keys import hash_key_id
from cache.replica.layout import PERSONS_2
from cache.replica.names import PERSONS
from hub.errors import PublishError
from hub.gathering import Part, Progress, gather
from hub.keys import HubKeys
from hub.published import PublishedRevisions

DEFAULT_VALID_S = 30 * 24 * 3600
DEFAULT_MIN_NEXT_POLL_S = 2
_NS = 1_000_000_000
_PUBLIC = 0o644


class Changes(msgspec.Struct, frozen=True):
    """What a new head says differently. Datasets and documents that are not named stay.

    `documents` are all that there are, by name, or None where nothing is said of them; their
    revisions are in `revisions`.
    """

    parts: Sequence[Part] = ()
    dropped: frozenset[str] = frozenset()
    documents: Mapping[str, bytes] | None = None
    revisions: Mapping[str, int] = msgspec.field(default_factory=dict)


class Publisher:
    """Builds, signs and lays out releases under one directory. Its methods block.

    Over threads and processes, one dataset is built by one publisher at a time, and heads are
    signed one after the other: no sequence is ever given out twice.

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
        self._documents = self._folder / "documents"
        self._revisions = PublishedRevisions(self._folder / ".revisions")
        self.hash_key_id = hash_key_id(keys.hash_key)

    def publish(
        self,
        rows: Iterable[tuple[Identifier, PersonFacts]],
        *,
        now: Instant,
        progress: Progress | None = None,
    ) -> Head:
        """Publish these people as the dataset `persons` and return the new head.

        :param rows: see `gathering.Records`.
        :param progress: called with the rows taken so far, every 10,000 and at the end.
        :raises PublishError: as `release`.
        """
        changes = Changes(parts=(Part(PERSONS, PERSONS_2, rows),))
        return self.release(changes, now=now, progress=progress)

    def release(self, changes: Changes, *, now: Instant, progress: Progress | None = None) -> Head:
        """Build what has changed, sign a head that names it, and return that.

        :param now: the head's `issued` time.
        :param progress: called with the records taken so far.
        :raises PublishError: if records do not fit their layout or contradict each other, or a file
            cannot be written. The release before stays published.
        """
        with self._mapped(), ExitStack() as held:
            self._segments.mkdir(parents=True, exist_ok=True)
            self._documents.mkdir(parents=True, exist_ok=True)
            for part in sorted(changes.parts, key=lambda part: part.name):
                held.enter_context(self._locked(f".{_file_name(part.name)}.lock"))
            built: list[tuple[Part, Path, Built]] = []
            for part in changes.parts:
                done = sum(made.rows for _, _, made in built)
                built.append((part, *self._build(part, _after(done, progress), held)))
            with self._locked(".lock"):
                return self._name(changes, built, now)

    def revouch(self, now: Instant) -> Head:
        """Sign the published release again, as of now, and return the new head.

        :raises PublishError: if nothing is published, or the head cannot be written.
        """
        with self._mapped(), self._locked(".lock"):
            before = self._published()
            if before is None:
                raise PublishError("nothing is published yet", hint="publish a release first")
            return self._sign(before, before.datasets, before.documents, now)

    def published(self) -> Head | None:
        """Return the head that is published, or None.

        :raises PublishError: if the file is there but not a head signed by our key.
        """
        with self._mapped():
            return self._published()

    def revisions(self) -> dict[str, int]:
        """Return the store's revisions of what the published head names."""
        head = self.published()
        return {} if head is None else self._revisions.of(head)

    def _build(self, part: Part, progress: Progress | None, held: ExitStack) -> tuple[Path, Built]:
        gathered = gather(part, self._keys.hash_key, progress)
        path = self._segments / f"{_file_name(part.name)}.part"
        held.callback(path.unlink, missing_ok=True)
        built = write_segment(path, gathered, self.hash_key_id)
        path.chmod(_PUBLIC)
        sync(path)
        return path, built

    def _name(
        self, changes: Changes, built: Sequence[tuple[Part, Path, Built]], now: Instant
    ) -> Head:
        before = self._published()
        datasets = dict(before.datasets) if before else {}
        for name in changes.dropped:
            datasets.pop(name, None)
        revisions = dict(changes.revisions)
        for part, path, made in built:
            rename_durably(path, self._segments / f"{made.root.hex()}.segment")
            datasets[part.name] = Dataset(made.root, made.size, made.rows, made.layout)
            if part.revision is not None:
                revisions[part.name] = part.revision
        documents = before.documents if before else {}
        if changes.documents is not None:
            documents = {name: self._write(data) for name, data in changes.documents.items()}
        replaced = {part.name for part, _, _ in built} | changes.dropped
        said = self._revisions.of(before).items() if before else ()
        known = {name: revision for name, revision in said if name not in replaced}
        head = self._sign(before, datasets, documents, now)
        self._revisions.write(head, known | revisions)
        self._prune(before, head)
        return head

    def _write(self, data: bytes) -> Document:
        if not 0 < len(data) <= MAX_DOCUMENT_BYTES:
            msg = f"a document has 1 to {MAX_DOCUMENT_BYTES} bytes, not {len(data)}"
            raise PublishError(msg, hint="chot hub document list shows their sizes")
        document = Document(hashlib.sha256(data).digest(), len(data))
        path = self._documents / f"{document.name}.document"
        if not path.exists():
            write_durably(path, data, mode=_PUBLIC)
        return document

    def _sign(
        self,
        before: Head | None,
        datasets: dict[str, Dataset],
        documents: dict[str, Document],
        now: Instant,
    ) -> Head:
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
            hash_key_id=self.hash_key_id,
            datasets=datasets,
            documents=documents,
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
        heads = [h for h in (before, head) if h]
        segments = {d.name for h in heads for d in h.datasets.values()}
        documents = {d.name for h in heads for d in h.documents.values()}
        for folder, pattern, kept in (
            (self._segments, "*.segment", segments),
            (self._documents, "*.document", documents),
        ):
            for path in folder.glob(pattern):
                if path.stem not in kept:
                    path.unlink()

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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


def _after(done: int, progress: Progress | None) -> Progress | None:
    return None if progress is None else lambda count: progress(done + count)


def _file_name(dataset: str) -> str:
    return dataset.replace("/", "+")
