"""Pruning: what the hub holds and nobody has to keep here any more is removed, file by file.

The anchor says first what is about to be gone, durably; then one file is unlinked, or replaced by
what stays of it. A power cut leaves the state before or the state after, and both are vouched for.
Nothing is removed that the hub has not acknowledged, and never anything of the newest file.
"""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from admission.journal_record import Record
from admission.upload import Mark
from cache.journal.anchor import Pruned, digest_of_kept
from cache.journal.anchor_keeper import AnchorKeeper
from cache.journal.catalogue import JournalFile, list_files, read_file
from cache.journal.contents import Contents, rewritten, survey
from cache.journal.errors import JournalDamaged
from cache.journal.frame import HEADER_BYTES, Frame, unpack_header
from cache.journal.medium import Medium
from cache.journal.replacing import replace_file
from cache.journal.retention import Keeping, Nature, Plan, nature_of, plan_of
from cache.journal.scan import scan

STEP_ENTRIES = 200
"""Entries that are looked at in one step: some two milliseconds of one core."""
_NS_PER_MS = 1_000_000


class Limits(msgspec.Struct, frozen=True):
    """What one pass may remove.

    :ivar mark: what the hub holds; its signature has been checked.
    :ivar limit_ms: `retention.limit_ms`; None lets nothing grow old.
    :ivar release: whether acknowledged entries go before their time, to make room.
    """

    mark: Mark
    limit_ms: int | None
    release: bool = False


class Done(msgspec.Struct):
    """What was done: `pruned` counts entries."""

    pruned: int = 0
    removed_files: int = 0
    rewritten_files: int = 0


class _Aged(msgspec.Struct, frozen=True):
    """A file that the hub holds entirely, the next one, and how old it is."""

    file: JournalFile
    following: JournalFile
    contents: Contents
    newest_ms: int | None
    before: dict[int, Nature]


class KeptAltered(JournalDamaged):
    """What was kept of the pruned part is not what the anchor says."""


class FilePruner:
    """Prunes the files of one journal. Blocking, in small steps; for one thread at a time.

    :param freed: is told how many bytes a step gave back, on the thread that made it.
    """

    def __init__(
        self,
        directory: Path,
        anchors: AnchorKeeper,
        keeping: Keeping,
        medium: Medium,
        *,
        freed: Callable[[int], None] | None = None,
    ) -> None:
        self._freed = freed
        self._directory = directory
        self._anchors = anchors
        self._keeping = keeping
        self._medium = medium
        self._contents: dict[JournalFile, Contents] = {}
        self._kept: dict[int, bytes] | None = None

    def steps(self, limits: Limits, done: Done) -> Iterator[None]:
        """Go over the files once, oldest first; yields after every small step.

        :param done: is counted up.
        :raises KeptAltered: before anything was touched.
        :raises JournalUnavailable: if the anchor could not be written: then nothing was removed.
        :raises OSError: as the medium does.
        """
        files = list_files(self._medium, self._directory)
        yield from self._load_kept(files, self._anchors.pruned(), limits)
        self._contents = {f: known for f, known in self._contents.items() if f in set(files)}
        for aged in self._aged(files, limits):
            yield
            if aged is None:
                continue
            pruned = self._anchors.pruned()
            plan, expired = self._plan(aged, limits)
            live = aged.file.first_sequence > pruned.through
            if plan is Plan.STAY and live:
                return
            if plan in {Plan.REMOVE, Plan.REWRITE} or live:
                yield from self._apply(aged, plan, expired, pruned, done)
                if limits.release:
                    return  # room was made: whether more is needed is asked anew

    def _plan(self, aged: _Aged, limits: Limits) -> tuple[Plan, frozenset[Nature]]:
        if limits.release:
            return Plan.REMOVE, frozenset(Nature)
        if limits.limit_ms is None or aged.newest_ms is None:
            return Plan.STAY, frozenset()
        expired = self._keeping.expired(aged.newest_ms, limits.limit_ms)
        natures = aged.contents.natures or {Nature.SCAN}  # a session alone is nothing to keep
        return plan_of(natures, expired, sound=aged.contents.sound), expired

    def _load_kept(
        self, files: list[JournalFile], pruned: Pruned, limits: Limits
    ) -> Iterator[None]:
        if self._kept is not None:
            return
        # What an earlier step failed to make durable must be, before the next is announced.
        self._medium.sync_directory(self._directory)
        kept = {}
        for file in files[:-1]:
            if file.first_sequence <= pruned.through:
                kept[file.first_sequence] = hashlib.sha256(self._read(file)).digest()
                yield
        if _digest(kept) not in {pruned.kept, pruned.kept_before} and not limits.release:
            raise KeptAltered(
                "what was kept of the journal's pruned part was altered: nothing is pruned",
                hint="run `chot journal verify`, and compare with the hub",
            )
        self._kept = kept

    def _aged(self, files: list[JournalFile], limits: Limits) -> Iterator[_Aged | None]:
        """Yield the files that the hub holds, once their age is known; None after a small step.

        A file without a time of its own is younger than the next that has one, and an old time
        behind a newer one is a clock's that was set back.
        """
        floor_ms: int | None = None
        undated: list[_Aged] = []
        before: dict[int, Nature] = {}
        for file, following in pairwise(files):
            if following.first_sequence - 1 > limits.mark.through:
                return
            for _ in self._survey(file, following, limits.mark, before):
                yield None
            contents = self._contents[file]
            undated.append(_Aged(file, following, contents, None, before))
            before |= contents.others
            if contents.newest_ms is None and not limits.release:
                continue
            floor_ms = max(floor_ms or 0, contents.newest_ms or 0)
            for aged in undated:
                yield msgspec.structs.replace(aged, newest_ms=floor_ms)
            undated = []

    def _survey(
        self, file: JournalFile, following: JournalFile, mark: Mark, before: Mapping[int, Nature]
    ) -> Iterator[None]:
        if file in self._contents:
            return
        ceiling_ms = mark.wall_ns // _NS_PER_MS
        found = survey(
            self._read(file), file.first_sequence, following.first_sequence, ceiling_ms, before
        )
        whole = Contents()
        for number, whole in enumerate(found):  # noqa: B007 - the last one is the whole
            if number % STEP_ENTRIES == 0:
                yield
        self._contents[file] = whole

    def _apply(
        self,
        aged: _Aged,
        plan: Plan,
        expired: frozenset[Nature],
        pruned: Pruned,
        done: Done,
    ) -> Iterator[None]:
        """Say durably what becomes of a file, then do it."""
        kept, first = self._kept or {}, aged.file.first_sequence
        data = self._read(aged.file)
        new = b""
        if plan is Plan.REWRITE:
            parts = []
            for number, part in enumerate(self._rewritten(data, aged, expired)):
                parts.append(part)
                if number % STEP_ENTRIES == 0:
                    yield
            new = b"".join(parts)
        before = kept | {first: hashlib.sha256(data).digest()}
        after = dict(before)
        if plan is Plan.REMOVE:
            del after[first]
        elif plan is Plan.REWRITE:
            after[first] = hashlib.sha256(new).digest()
        self._anchors.announce(self._moved(aged, pruned, after, before))
        self._kept = None  # until it is known how this ends
        yield
        self._carry_out(aged, plan, new)
        if self._freed is not None and plan is not Plan.PASS:
            self._freed(len(data) - len(new))
        self._kept = after
        self._count(aged, plan, new, done)

    def _carry_out(self, aged: _Aged, plan: Plan, new: bytes) -> None:
        if plan is Plan.REMOVE:
            self._medium.remove(aged.file.path)
            self._medium.sync_directory(self._directory)
        elif plan is Plan.REWRITE:
            replace_file(self._medium, aged.file.path, new)

    def _count(self, aged: _Aged, plan: Plan, new: bytes, done: Done) -> None:
        if plan is Plan.PASS:
            return
        findings = scan(new, aged.file.first_sequence)
        done.pruned += self._contents.pop(aged.file).entries
        done.pruned -= sum(isinstance(finding, Frame) for finding in findings)
        done.removed_files += plan is Plan.REMOVE
        done.rewritten_files += plan is Plan.REWRITE

    def _moved(
        self, aged: _Aged, pruned: Pruned, after: dict[int, bytes], before: dict[int, bytes]
    ) -> Pruned:
        through, chain_hash = pruned.through, pruned.chain_hash
        if aged.file.first_sequence > through:
            header = unpack_header(self._medium.read(aged.following.path, 0, HEADER_BYTES))
            if header is None:
                msg = f"{aged.following.path.name} has no intact header"
                raise JournalDamaged(msg, hint="run `chot journal verify`")
            through, chain_hash = header.first_sequence - 1, header.chain_before
        return Pruned(through, chain_hash, _digest(after), _digest(before))

    def _rewritten(self, data: bytes, aged: _Aged, expired: frozenset[Nature]) -> Iterator[bytes]:
        natures = ChainMap(aged.contents.others, aged.before)

        def stays(_: int, record: Record | None) -> bool:
            return nature_of(record, natures) not in {None, *expired}

        return rewritten(data, aged.file.first_sequence, aged.following.first_sequence, stays)

    def _read(self, file: JournalFile) -> bytes:
        try:
            return read_file(self._medium, file)
        except JournalDamaged:
            return b""  # not a file of ours: evidence that goes with the rest of its time


def _digest(kept: Mapping[int, bytes]) -> bytes:
    return digest_of_kept(sorted(kept.items()))
