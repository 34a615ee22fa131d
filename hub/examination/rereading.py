"""Reading again what was set aside: entries of a newer gate, and seals of a key that came back.

What could not be read when it came in is kept raw, with a flag. A hub that was updated, or has its
former key again, fills the columns that were left open, takes the flag back, and has the examiner
judge what these entries tell of people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from admission.errors import WireError
from hub.columns import columns_of
from hub.examination.people import PeopleJudge
from hub.examination.seen import see
from hub.seal_sessions import SealKeys, SealSessions
from hub.store.entries import Decoded, EntryStore, Flag, FlagKind, JournalKey
from hub.store.examined import ExaminedStore, HeldEntry

MAX_SET_ASIDE = 100_000
"""Entries of one kind that are looked at in one go."""
_PORTION = 200
_KINDS = (FlagKind.UNDECODABLE, FlagKind.SEAL_UNOPENED)


class RereadStore(EntryStore, ExaminedStore, Protocol):
    """What is asked of the store here."""


class Reread(msgspec.Struct):
    """How many entries were looked at, and of how many the flag was taken back."""

    looked: int = 0
    read: int = 0


class _Again(msgspec.Struct):
    """What one portion comes to."""

    decoded: list[tuple[int, Decoded]] = msgspec.field(default_factory=list)
    lowered: list[tuple[int, FlagKind]] = msgspec.field(default_factory=list)
    raised: list[Flag] = msgspec.field(default_factory=list)
    entries: list[HeldEntry] = msgspec.field(default_factory=list)


class Rereading:
    """Reads again what is flagged as set aside."""

    def __init__(
        self,
        store: RereadStore,
        judge: PeopleJudge,
        keys: SealKeys,
        *,
        pause: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._judge = judge
        self._pause = pause
        self._sessions = SealSessions(keys)

    async def run(self, now_ns: int, progress: Callable[[int], None] = lambda _: None) -> Reread:
        """Look at everything that is set aside. Safe to repeat, and to stop anywhere.

        :param progress: is told how many entries were looked at.
        :raises StoreError: if the store failed.
        """
        result = Reread()
        for key, sequences in (await self._set_aside()).items():
            for place in range(0, len(sequences), _PORTION):
                some = sequences[place : place + _PORTION]
                result.read += await self._portion(key, some, now_ns)
                result.looked += len(some)
                progress(result.looked)
                if self._pause is not None:
                    await self._pause()
        return result

    async def _set_aside(self) -> dict[JournalKey, list[int]]:
        found: dict[JournalKey, set[int]] = defaultdict(set)
        for kind in _KINDS:
            for one in await self._store.all_flags(kind=kind, limit=MAX_SET_ASIDE):
                found[one.key].add(one.flag.sequence)
        return {key: sorted(sequences) for key, sequences in found.items()}

    async def _portion(self, key: JournalKey, sequences: Sequence[int], now_ns: int) -> int:
        again = _Again()
        flags = await self._store.flags_at(key, sequences)
        before = {(flag.sequence, flag.kind) for flag in flags}
        for sequence in sequences:
            for held in await self._store.entries(key, sequence - 1, limit=1):
                if held.sequence == sequence:
                    await self._entry(key, held, again, before)
        if again.decoded:
            await self._store.redecode(key, again.decoded)
        if again.entries:
            seen = [see(key, held) for held in again.entries]
            # Before the flags go: stopped in between, all of it is done once more.
            await self._judge.judge(key, seen, now_ns)
        if again.raised:
            await self._store.raise_flags(key, again.raised, now_ns)
        if again.lowered:
            await self._store.lower_flags(key, again.lowered)
        return len({sequence for sequence, _ in again.lowered})

    async def _entry(
        self,
        key: JournalKey,
        held: HeldEntry,
        again: _Again,
        before: set[tuple[int, FlagKind]],
    ) -> None:
        opened = await self._sessions.before(self._store, key, held.sequence)
        try:
            columns = columns_of(held.packed, opened)
        except WireError:
            return
        sequence, decoded = held.sequence, columns.decoded
        seen = see(key, msgspec.structs.replace(held, decoded=decoded))
        # Columns alone are no reason: what is not understood whole, nobody has examined.
        lowered = set() if seen.record is None else {FlagKind.UNDECODABLE}
        if columns.unopened:
            again.raised.append(Flag(sequence, FlagKind.SEAL_UNOPENED, columns.unopened))
        else:
            lowered.add(FlagKind.SEAL_UNOPENED)
        if decoded is not None and decoded != held.decoded:
            again.decoded.append((sequence, decoded))
        again.entries.append(msgspec.structs.replace(held, decoded=decoded))
        again.lowered += _raised(sequence, lowered, before)


def _raised(
    sequence: int, kinds: Iterable[FlagKind], before: set[tuple[int, FlagKind]]
) -> list[tuple[int, FlagKind]]:
    return [(sequence, kind) for kind in kinds if (sequence, kind) in before]
