"""The published head and the notes beside it: read, and replaced by the next one."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from admission.instant import Instant
from cache.replica.durable import write_durably
from cache.replica.head import (
    MAX_DOCUMENT_BYTES,
    MAX_HEAD_BYTES,
    Dataset,
    Document,
    Head,
    sign_head,
)
from cache.replica.keys import hash_key_id
from cache.replica.names import PERSONS
from cache.replica.source import FileKind, path_of
from cache.replica.trust import document_target, segment_target
from hub.errors import PublishError
from hub.files import ReplicaFiles, files_of
from hub.keys import HubKeys
from hub.published import Note, Notes, NotesFile, noted
from hub.sequence import Before, issued_ns, read_before
from hub.steps import Step
from hub.trust_repository import Target, TrustRepository, target_of

_NS = 1_000_000_000
_PUBLIC = 0o644


class HeadTerms(msgspec.Struct, frozen=True):
    """How long a head counts, when gates ask again, and whether a person vouches for the clock."""

    valid_s: int
    min_next_poll_s: int
    accept_clock: bool = False


class Next(msgspec.Struct, frozen=True):
    """What the next head says differently; see `publish.Changes`."""

    steps: Mapping[str, Step] = msgspec.field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    documents: Mapping[str, bytes] | None = None
    revisions: Mapping[str, int] = msgspec.field(default_factory=dict)


class Heads:
    """The head in one `replica/` folder. Its methods block, and raise `OSError`."""

    def __init__(self, files: ReplicaFiles, keys: HubKeys, terms: HeadTerms) -> None:
        self._files = files
        self._folder: Path = files.folder
        self._keys = keys
        self._hash_key_id = hash_key_id(keys.hash_key)
        self._terms = terms
        self._notes = NotesFile(self._folder / ".notes")
        self._trust = TrustRepository(self._folder, keys)
        self._last: Instant | None = None

    def before(self) -> Before | None:
        """Return the head that is published, None if there is none.

        :raises HeadError: if it is not one that our key signed.
        """
        try:
            with (self._folder / "head").open("rb") as file:
                data = file.read(MAX_HEAD_BYTES + 1)
        except FileNotFoundError:
            return None
        return read_before(data, self._keys.own_heads)

    def head(self) -> Head | None:
        """Return the same, None also if it is of an older version."""
        before = self.before()
        return None if before is None else before.head

    def notes(self, head: Head | None) -> dict[str, Note]:
        """Return the notes of what a head names."""
        return self._notes.read().of(head)

    def standing(self, head: Head | None) -> dict[str, Step]:
        """Return how the datasets of a head stand."""
        notes = self.notes(head)
        return {
            name: Step(dataset, notes.get(name, Note()))
            for name, dataset in (head.datasets if head else {}).items()
        }

    def require_clock(self, now: Instant) -> None:
        """Return if a head may be signed now.

        :raises PublishError: if the clock cannot be believed.
        """
        self._issued_ns(self.before(), now)

    def clock_problem(self, now: Instant) -> str:
        """Return why the clock is not believed at a moment, empty if it is. Writes nothing.

        It is held against the published head: where none is, nobody can tell.
        """
        try:
            if self.head() is None:
                return "nothing is published yet that the clock could be held against"
            self.require_clock(now)
        except PublishError as error:
            return str(error)
        return ""

    def revouch(self, now: Instant) -> Head:
        """Sign the published head again.

        :raises PublishError: if nothing is published, or the clock cannot be believed.
        """
        with self.locked():
            before = self.before()
            if before is None or before.head is None:
                raise PublishError("nothing is published yet", hint="publish a release first")
            issued = self._issued_ns(before, now)
            head = msgspec.structs.replace(
                before.head,
                sequence=before.sequence + 1,
                issued_ns=issued,
                expires_ns=issued + self._terms.valid_s * _NS,
                min_next_poll_s=self._terms.min_next_poll_s,
                targets=self._listed(before.head.datasets, before.head.documents, now),
            )
            self._replace(sign_head(head, self._keys.head), now)
            return head

    def name(self, new: Next, now: Instant) -> Head:
        """Sign the next head; if nothing differs from the one before, return that.

        :raises PublishError: if a document is too large, or the clock cannot be believed.
        """
        with self.locked():
            before = self.before()
            head = None if before is None else before.head
            ours = head is not None and head.hash_key_id == self._hash_key_id
            datasets = dict(head.datasets) if head and ours else {}
            datasets |= {name: step.dataset for name, step in new.steps.items()}
            for name in new.dropped:
                datasets.pop(name, None)
            documents = head.documents if head else {}
            if new.documents is not None:
                documents = {n: self._write(d) for n, d in new.documents.items()}
            notes = self._notes.read()
            known = notes.of(head)
            after = {name: n for name, n in known.items() if name not in new.dropped}
            after |= {name: step.note for name, step in new.steps.items()}
            after |= {name: Note(number) for name, number in new.revisions.items()}
            if PERSONS not in datasets:
                raise PublishError("no release is without people", hint="publish everything")
            if head and ours and (head.datasets, head.documents) == (datasets, documents):
                if after != known:
                    notes.said = noted(None, {}, head, after)
                    self._notes.write(notes)
                return head
            following = self._next(before, datasets, documents, now)
            data = sign_head(following, self._keys.head)
            notes.said = noted(head, known, following, after)
            self._prune(following, after, notes, now)
            self._notes.write(notes)
            self._replace(data, now)
            return following

    @contextmanager
    def locked(self, name: str = "") -> Iterator[None]:
        """Be the only one who changes a dataset, or, without a name, the head."""
        with self._lock(name, fcntl.LOCK_EX):
            yield

    @contextmanager
    def taken(self, names: Collection[str], *, wait: bool = True) -> Iterator[frozenset[str]]:
        """Be the only one who changes these datasets; yield which.

        :param wait: whether to wait for another publisher to be done with them. Without, those
            that one works on are left out.
        """
        with ExitStack() as held:
            taken = set()
            # All take them in one order, so that nobody waits for somebody who waits.
            for name in sorted(names):
                with suppress(BlockingIOError):
                    held.enter_context(
                        self._lock(name, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                    )
                    taken.add(name)
            yield frozenset(taken)

    @contextmanager
    def _lock(self, name: str, how: int) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f".{name.replace('/', '+')}{'.' if name else ''}lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, how)
            yield
        finally:
            os.close(lock)

    def _next(
        self,
        before: Before | None,
        datasets: dict[str, Dataset],
        documents: dict[str, Document],
        now: Instant,
    ) -> Head:
        issued = self._issued_ns(before, now)
        return Head(
            sequence=before.sequence + 1 if before else 1,
            issued_ns=issued,
            expires_ns=issued + self._terms.valid_s * _NS,
            min_next_poll_s=self._terms.min_next_poll_s,
            hash_key_id=self._hash_key_id,
            datasets=datasets,
            documents=documents,
            targets=self._listed(datasets, documents, now),
        )

    def _listed(
        self, datasets: Mapping[str, Dataset], documents: Mapping[str, Document], now: Instant
    ) -> int:
        """List what a head is to name, and what gates may still be fetching; return the version."""
        known = self._trust.targets()
        targets = {n: t for n, t in known.items() if (self._folder / n).exists()}
        for document in documents.values():
            targets[document_target(document.sha256)] = Target(document.size, document.sha256)
        bases = [base for d in datasets.values() for base in (d, d.following) if base is not None]
        for name in {segment_target(base.root) for base in bases} - targets.keys():
            targets[name] = target_of(self._folder / name)
        return self._trust.publish(targets, now)

    def _issued_ns(self, before: Before | None, now: Instant) -> int:
        return issued_ns(before, self._last, now, accept=self._terms.accept_clock)

    def _replace(self, data: bytes, now: Instant) -> None:
        write_durably(self._folder / "head", data, mode=_PUBLIC)
        self._last = now

    def _write(self, data: bytes) -> Document:
        if not 0 < len(data) <= MAX_DOCUMENT_BYTES:
            msg = f"a document has 1 to {MAX_DOCUMENT_BYTES} bytes, not {len(data)}"
            raise PublishError(msg, hint="chot hub document list shows their sizes")
        document = Document(hashlib.sha256(data).digest(), len(data))
        if not self._files.path(FileKind.DOCUMENT, document.name).exists():
            self._files.write(FileKind.DOCUMENT, data)
        return document

    def _prune(self, head: Head, after: Mapping[str, Note], notes: Notes, now: Instant) -> None:
        named = {path_of(FileKind.DOCUMENT, d.name) for d in head.documents.values()}
        for dataset in head.datasets.values():
            named |= files_of(dataset)
        for note in after.values():
            if note.snapshot is not None:
                named.add(path_of(FileKind.SNAPSHOT, note.snapshot.name))
        self._files.prune(named, notes.retired, now.wall_ns)
