"""The publisher: records in, signed static files out, for any web server to carry.

`replica/head` is the newest signed head, replaced by rename; the files that it names lie beside it
(`hub.files`), immutable, and stay for a while after the last head that named them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from admission.instant import Instant
from cache.errors import ReplicaError
from cache.replica.changes import Changes as RowChanges
from cache.replica.head import Head
from cache.replica.keys import hash_key_id
from cache.replica.layout import Layout
from hub.errors import PublishError
from hub.files import ReplicaFiles
from hub.following import FollowingBases
from hub.gathering import PeopleSource
from hub.heads import Heads, HeadTerms, Next
from hub.keys import HubKeys
from hub.rows import Progress, Source
from hub.steps import Due, Step, due
from hub.store.packed import pack_all
from hub.store.port import Person
from hub.tables import Tables

DEFAULT_VALID_S = 30 * 24 * 3600
DEFAULT_MIN_NEXT_POLL_S = 2


class Touched(msgspec.Struct, frozen=True):
    """What has changed in one dataset: by key, what it is to say, None = nothing any more."""

    name: str
    layout: Layout[Any]
    changes: RowChanges
    revision: int | None = None


class Changes(msgspec.Struct, frozen=True):
    """What a new head says differently. Datasets and documents that are not named stay.

    `sources` are all that some datasets are to say; those that are `anew` get a base of their own,
    however little differs. Of `touched`, all datasets of one sequence are published, or none.
    `dropped` datasets leave the head. `documents` are all that there are, by name, or None where
    nothing is said of them; their revisions are in `revisions`.
    """

    sources: Sequence[Source] = ()
    anew: frozenset[str] = frozenset()
    touched: Sequence[Sequence[Touched]] = ()
    dropped: frozenset[str] = frozenset()
    documents: Mapping[str, bytes] | None = None
    revisions: Mapping[str, int] = msgspec.field(default_factory=dict)


class Released(msgspec.Struct, frozen=True):
    """The head that is published now, and which `touched` datasets it does not say.

    What is published of those cannot be told, or so much has changed that all rows are needed.
    """

    head: Head
    left: frozenset[str] = frozenset()


class Publisher:
    """Builds, signs and lays out releases under one directory. Its methods block.

    Over threads and processes, one dataset is worked on by one publisher at a time, and heads are
    signed one after the other: no sequence is ever given out twice.

    :param directory: what the web server serves; `replica/` is created in it.
    :param valid_s: how long a head counts; `revouch` well before.
    :param accept_clock: whether a person vouches for the clock: see `hub.sequence.issued_ns`.
    """

    def __init__(
        self,
        directory: Path,
        keys: HubKeys,
        *,
        valid_s: int = DEFAULT_VALID_S,
        min_next_poll_s: int = DEFAULT_MIN_NEXT_POLL_S,
        accept_clock: bool = False,
    ) -> None:
        self.hash_key = keys.hash_key
        self.hash_key_id = hash_key_id(keys.hash_key)
        self._files = ReplicaFiles(directory / "replica", self.hash_key_id)
        self._heads = Heads(
            self._files, keys, HeadTerms(valid_s, min_next_poll_s, accept_clock=accept_clock)
        )
        self._tables = Tables(self._files)
        self._following = FollowingBases(self._files, self.hash_key_id)

    def publish(
        self, people: Iterable[Person], *, now: Instant, progress: Progress | None = None
    ) -> Head:
        """Publish exactly these people and return the new head.

        :param progress: called with the identifiers taken so far.
        :raises PublishError: as `release`.
        """
        changes = Changes(sources=(PeopleSource(pack_all(people)),))
        return self.release(changes, now=now, progress=progress).head

    def release(
        self,
        changes: Changes,
        *,
        now: Instant,
        progress: Progress | None = None,
        wait: bool = True,
    ) -> Released:
        """Make what has changed part of what is published, and return the head that says so.

        If nothing differs from what is published, that is the head that is there.

        :param now: the head's `issued` time.
        :param wait: whether to wait for another publisher that works on one of the datasets.
            Without, `touched` ones of these are left.
        :raises PublishError: if records do not fit their layout or contradict each other, the clock
            cannot be believed, or a file cannot be written. What was published before stays.
        """
        names = {name for source in changes.sources for name in source.names}
        names |= {touched.name for some in changes.touched for touched in some}
        with self._mapped(), self._heads.taken(names, wait=wait) as taken:
            self._files.create()
            self._heads.require_clock(now)
            steps, left = self._made(changes, taken, now, progress)
            new = Next(steps, changes.dropped, changes.documents, changes.revisions)
            return Released(self._heads.name(new, now), left)

    def revouch(self, now: Instant) -> Head:
        """Sign the published release again, as of now, and return the new head.

        :raises PublishError: if nothing is published, the clock cannot be believed, or the head
            cannot be written.
        """
        with self._mapped():
            return self._heads.revouch(now)

    def clock_problem(self, now: Instant) -> str:
        """Return why the clock is not believed, empty if it is; see `Heads.clock_problem`."""
        with self._mapped():
            return self._heads.clock_problem(now)

    def tend(self, now: Instant) -> frozenset[str]:
        """Do what is due by now of what is published: deltas of hours and days, following bases.

        Returns the datasets that need a new base. What another publisher works on is left to the
        next time.

        :raises PublishError: if the clock cannot be believed, or the head cannot be written.
        """
        with self._mapped():
            wanted = {name for name, what in self._due(now).items() if what is not Due.REBASE}
            with self._heads.taken(wanted, wait=False) as taken:
                standing = self._heads.standing(self._heads.head())
                made: dict[str, Step] = {}
                bases: set[str] = set()
                for name in sorted(taken & standing.keys()):
                    step = self._tables.tended(name, standing | made, now.wall_ns)
                    if step is None:
                        bases.add(name)
                    else:
                        made[name] = step
                if made:
                    self._heads.name(Next(made), now)
            due = self._due(now).items()
            return frozenset(bases | {name for name, what in due if what is Due.REBASE})

    def follow(self, name: str, now: Callable[[], Instant]) -> bool:
        """Make a dataset's next base, and name it as the one to follow. Return whether it is named.

        Changes go on being published meanwhile. False if the next base is not one that gates can
        make of this one: then `release` all its rows anew.

        :raises PublishError: if the clock cannot be believed, or a file cannot be written.
        """
        with self._mapped():
            with self._heads.taken({name}):
                standing = self._heads.standing(self._heads.head())
                step = self._tables.ready(name, standing, now().wall_ns)
                if step is None:
                    return False
                self._heads.name(Next({name: step}), now())
            made = self._following.made(name, step.dataset)
            if made is None:
                return False
            with self._heads.taken({name}):
                standing = self._heads.standing(self._heads.head())
                named = self._following.named(made, standing.get(name), now().wall_ns)
                if named is not None:
                    self._heads.name(Next({name: named}), now())
                return named is not None

    def published(self) -> Head | None:
        """Return the head that is published, or None: also if it is of an older version.

        :raises PublishError: if the file is there but not a head signed by our key.
        """
        with self._mapped():
            return self._heads.head()

    def revisions(self) -> dict[str, int]:
        """Return the store's revisions of what the published head names."""
        with self._mapped():
            notes = self._heads.notes(self._heads.head())
        return {name: n.revision for name, n in notes.items() if n.revision is not None}

    def _due(self, now: Instant) -> dict[str, Due]:
        standing = self._heads.standing(self._heads.head())
        found = {n: due(s.dataset, s.note, now.wall_ns) for n, s in standing.items()}
        return {name: what for name, what in found.items() if what is not None}

    def _made(
        self,
        changes: Changes,
        taken: frozenset[str],
        now: Instant,
        progress: Progress | None,
    ) -> tuple[dict[str, Step], frozenset[str]]:
        head = self._heads.head()
        ours = head is not None and head.hash_key_id == self.hash_key_id
        standing = self._heads.standing(head) if ours else {}
        made: dict[str, Step] = {}
        left: set[str] = set()
        for some in changes.touched:
            names = {one.name for one in some}
            steps = self._changed(some, standing | made, now) if names <= taken else None
            if steps is None:
                left |= names
            else:
                made |= steps
        counter = _Counter(progress)
        for source in changes.sources:
            for name, rows in source.rows(self.hash_key, self._files.folder, counter.told):
                known = standing | made
                if name in changes.anew:
                    known.pop(name, None)
                step = self._tables.said(name, known, rows, now.wall_ns)
                made[name] = _revised(step, source.revision)
                del rows  # before the next ones are made
            counter.next()
        return made, frozenset(left)

    def _changed(
        self, some: Sequence[Touched], standing: dict[str, Step], now: Instant
    ) -> dict[str, Step] | None:
        made: dict[str, Step] = {}
        for one in some:
            known = standing | made
            step = self._tables.changed(one.name, known, one.layout, one.changes, now.wall_ns)
            if step is None:
                return None
            made[one.name] = _revised(step, one.revision)
        return made

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except ReplicaError as error:
            raise PublishError(str(error), hint=error.hint) from error
        except OSError as error:
            msg = f"the release cannot be written: {error.strerror}"
            raise PublishError(msg, hint="check the disk: space, health, permissions") from error


class _Counter:
    """Tells of the progress of several sources as one."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._before = self._count = 0

    def told(self, count: int) -> None:
        """Take how far the present source is."""
        self._count = count
        if self._progress is not None:
            self._progress(self._before + count)

    def next(self) -> None:
        """Go on to the next source."""
        self._before += self._count
        self._count = 0


def _revised(step: Step, revision: int | None) -> Step:
    note = msgspec.structs.replace(step.note, revision=revision)
    return Step(step.dataset, note)
