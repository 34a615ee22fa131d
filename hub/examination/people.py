"""What entries tell of people only beside those of other gates, and of what the hub knew.

The two flags that are raised here are a function of what is held, not of the order in which it
came: whatever touches an admission has it judged again, and a flag that it bears no more is taken
back.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from admission.site import Direction
from hub.examination.blocks import Block, known_then
from hub.examination.duplicates import counterpart, detail
from hub.examination.notebook import Notebook
from hub.examination.seen import Movement, Seen, annulled_by, movement_of, see
from hub.store.entries import MAX_INTEGER, Flag, FlagKind, JournalKey
from hub.store.examined import FlaggingStore

MAX_PLACED = 4_000
"""Entries of some people that are looked at together. Of one person's more within a batch's time,
the earliest: whoever has so many plays with a gate."""
_TURN = 200
"""What is done before everything else has its turn."""
_NS_PER_MS = 1_000_000
_KINDS = frozenset({FlagKind.DUPLICATE_PASSAGE, FlagKind.REVOKED_MEANWHILE})

Place = tuple[JournalKey, int]
T = TypeVar("T")


class PeopleJudge:
    """Judges the admissions that entries of one journal touch."""

    def __init__(self, store: FlaggingStore, notebook: Notebook, window_ms: int) -> None:
        self._store = store
        self._notebook = notebook
        self._window_ms = window_ms

    async def judge(self, key: JournalKey, entries: Sequence[Seen], now_ns: int) -> frozenset[int]:
        """Raise and take back flags; return which of the journal's entries are taken back by these.

        :raises StoreError: if the store failed; judged again, the result is the same.
        """
        annulled = frozenset(about for one in entries if (about := annulled_by(one)) is not None)
        touched = [one.movement for one in entries if one.movement is not None]
        inside = {one.sequence for one in touched}
        touched += await self._fetched(key, annulled - inside)
        await self._around(touched, {(key, sequence) for sequence in annulled}, now_ns)
        return annulled

    async def _around(self, touched: Sequence[Movement], annulled: set[Place], now_ns: int) -> None:
        people = sorted({one.person for one in touched})
        if not people:
            return
        first = min(one.wall_ms for one in touched) - self._window_ms
        last = max(one.wall_ms for one in touched) + self._window_ms
        placed = await self._store.passages_of(
            people, _bounded_ns(first), _bounded_ns(last + 1), limit=MAX_PLACED
        )
        if len(placed) >= MAX_PLACED and len(people) > 1:
            half = set(people[: len(people) // 2])
            await self._around([one for one in touched if one.person in half], annulled, now_ns)
            await self._around([one for one in touched if one.person not in half], annulled, now_ns)
            return
        known: dict[Place, Movement] = {}
        async for one in _in_turns(placed):
            # What the store finds by a date that nobody vouched for is no movement.
            movement = movement_of(one.key, one.sequence, one.packed, one.person)
            if movement is not None:
                known[one.key, one.sequence] = movement
        known |= {(one.key, one.sequence): one for one in touched}
        taken_back = annulled | await self._taken_back(known)
        affected = _affected(touched, known.values(), self._window_ms)
        wanted = await self._wanted(affected, known, taken_back)
        await self._raise(wanted, taken_back, now_ns)

    async def _wanted(
        self, affected: Sequence[Movement], known: Mapping[Place, Movement], gone: set[Place]
    ) -> dict[Place, dict[FlagKind, str]]:
        of_person: dict[int, list[Movement]] = defaultdict(list)
        for place, one in known.items():
            if place not in gone:
                of_person[one.person].append(one)
        for line in of_person.values():
            line.sort(key=lambda one: one.order)
        blocks = await self._notebook.blocks({one.person for one in affected})
        wanted: dict[Place, dict[FlagKind, str]] = {}
        async for one in _in_turns(affected):
            place = (one.key, one.sequence)
            wanted[place] = {}
            if place in gone:
                continue
            other = counterpart(one, of_person[one.person], self._window_ms)
            if other is not None:
                wanted[place][FlagKind.DUPLICATE_PASSAGE] = detail(one, other)
            block = known_then(one, blocks.get(one.person, ()))
            if block is not None:
                wanted[place][FlagKind.REVOKED_MEANWHILE] = _said(one, block)
        return wanted

    async def _raise(
        self, wanted: Mapping[Place, Mapping[FlagKind, str]], gone: Collection[Place], now_ns: int
    ) -> None:
        by_journal: dict[JournalKey, dict[int, Mapping[FlagKind, str]]] = defaultdict(dict)
        for (key, sequence), kinds in wanted.items():
            by_journal[key][sequence] = kinds
        for key, of_journal in by_journal.items():
            raised = {
                (flag.sequence, flag.kind): flag.detail
                for flag in await self._store.flags_at(key, list(of_journal))
                if flag.kind in _KINDS
            }
            right = {
                (sequence, kind): said
                for sequence, kinds in of_journal.items()
                for kind, said in kinds.items()
            }
            # Since when the hub has known is remembered for a while only: what was once raised for
            # it stays, unless nobody passed.
            lasting = {
                (sequence, kind)
                for sequence, kind in raised
                if kind is FlagKind.REVOKED_MEANWHILE and (key, sequence) not in gone
            }
            wrong = {at for at, said in raised.items() if right.get(at) != said} - lasting
            if wrong:
                await self._store.lower_flags(key, wrong)
            fresh = [Flag(*at, said) for at, said in right.items() if raised.get(at) != said]
            if fresh:
                await self._store.raise_flags(key, fresh, now_ns)

    async def _fetched(self, key: JournalKey, sequences: Iterable[int]) -> list[Movement]:
        found = []
        for sequence in sequences:
            for held in await self._store.entries(key, sequence - 1, limit=1):
                movement = see(key, held).movement
                if held.sequence == sequence and movement is not None:
                    found.append(movement)
        return found

    async def _taken_back(self, known: Iterable[Place]) -> set[Place]:
        by_journal: dict[JournalKey, list[int]] = defaultdict(list)
        for key, sequence in known:
            by_journal[key].append(sequence)
        return {
            (key, sequence)
            for key, sequences in by_journal.items()
            for sequence in await self._notebook.annulled(key, sequences)
        }


async def _in_turns(items: Sequence[T]) -> AsyncIterator[T]:
    """Pass items on, letting everything else on the loop have its turn in between."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % _TURN == 0:
            await asyncio.sleep(0)


def _affected(
    touched: Iterable[Movement], known: Iterable[Movement], window_ms: int
) -> list[Movement]:
    """Return the admissions that any of those touched may have a part in."""
    moments: dict[int, list[int]] = defaultdict(list)
    for one in sorted(touched, key=lambda one: one.wall_ms):
        moments[one.person].append(one.wall_ms)
    affected = []
    for one in known:
        of_person = moments[one.person]
        place = bisect_right(of_person, one.wall_ms)
        shortly_before = place > 0 and one.wall_ms - of_person[place - 1] <= window_ms
        if one.direction is Direction.IN and shortly_before:
            affected.append(one)
    return affected


def _bounded_ns(wall_ms: int) -> int:
    """Return a time that every engine's column holds, whatever a gate's clock said."""
    return max(-MAX_INTEGER, min(wall_ms * _NS_PER_MS, MAX_INTEGER))


def _said(one: Movement, block: Block) -> str:
    seconds = one.wall_ms // 1000 - block.since_ns // 1_000_000_000
    release = "none" if one.release is None else str(one.release)
    return f"{block.bar.why.value}, known at the hub {seconds} s before; release {release}"
