"""Protects what is set aside: read as soon as it can be, then judged like anything else."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from admission.instant import ClockTrust
from admission.site import Direction
from hub.examination.examiner import Examiner
from hub.examination.people import PeopleJudge
from hub.examination.rereading import Reread, Rereading
from hub.seal_sessions import NoSealKeys
from hub.store.entries import Flag, FlagKind, JournalKey
from hub.store.examined import HeldEntry
from tests.hub.examined import NS, T0_MS, ExaminedMemory, Gate, a_notebook, decoded
from tests.hub.gates import JOURNAL, a_passage
from tests.hub.sealed import SEAL_KEY, Keys, sealed
from tests.worlds import ManualClock

LINH = 7 << 2
KEY = JournalKey("gate-a", JOURNAL)
UNREAD, UNOPENED = FlagKind.UNDECODABLE, FlagKind.SEAL_UNOPENED


async def _no_pause() -> None:
    return


class Store(ExaminedMemory):
    """A hub that took in sealed entries without the key, and one that it could not read."""

    async def session_before(self, key: JournalKey, sequence: int) -> tuple[int, bytes] | None:
        return (1, self.held[key][1].packed) if sequence > 1 and key == KEY else None


def a_hub() -> Store:
    store, other = Store(), Gate("gate-b")
    other.admits(LINH, 0)
    store.take(other.key, other.entries)
    passage = msgspec.structs.replace(
        a_passage(1),
        person=LINH,
        wall_ns=(T0_MS + 60_000) * NS,
        clock_trust=ClockTrust.SYNCHRONISED,
        direction=Direction.IN,
    )
    entries = sealed([passage, passage])
    for entry in entries:
        columns = None if entry.sequence == 3 else decoded(entry.packed, None)
        held = HeldEntry(
            entry.sequence, entry.chain_hash, entry.packed, (T0_MS + 90_000) * NS, columns
        )
        store.take(KEY, [held])
    unknown = HeldEntry(4, bytes(32), b"\x92\x09\x00", (T0_MS + 90_000) * NS, None)
    store.take(KEY, [unknown])
    store.raised[KEY] = {
        (2, UNOPENED): Flag(2, UNOPENED),
        (3, UNREAD): Flag(3, UNREAD),
        (4, UNREAD): Flag(4, UNREAD),
    }
    for at in store.raised[KEY]:
        store.raised_ns[(KEY, *at)] = 0
    return store


def reread(store: Store, keys: Any) -> Reread:
    async def work() -> Reread:
        async with a_notebook() as notebook:
            await Examiner(store, notebook, pause=_no_pause).round(ManualClock().now())
            judge = PeopleJudge(store, notebook, 600_000)
            return await Rereading(store, judge, keys, pause=_no_pause).run(5)

    return asyncio.run(work())


def test_a_key_that_comes_back_opens_what_was_sealed_and_it_is_judged_then() -> None:
    store = a_hub()
    result = reread(store, Keys(SEAL_KEY))
    assert (result.looked, result.read) == (3, 2)
    assert [store.held[KEY][at].decoded.person for at in (2, 3)] == [LINH, LINH]  # type: ignore[union-attr]
    assert store.held[KEY][4].decoded is None
    assert store.flagged() == {
        ("gate-a", 2): {FlagKind.DUPLICATE_PASSAGE},
        ("gate-a", 3): {FlagKind.DUPLICATE_PASSAGE},
        ("gate-a", 4): {UNREAD},
    }
    again = reread(store, Keys(SEAL_KEY))
    assert (again.looked, again.read) == (1, 0)


def test_an_update_reads_what_stands_in_the_clear_and_says_that_the_rest_is_sealed() -> None:
    store = a_hub()
    result = reread(store, NoSealKeys())
    assert (result.looked, result.read) == (3, 1)
    columns = store.held[KEY][3].decoded
    assert columns is not None
    assert (columns.site, columns.person) == ("site-1", None)
    assert store.flagged() == {
        ("gate-a", 2): {UNOPENED},
        ("gate-a", 3): {UNOPENED},
        ("gate-a", 4): {UNREAD},
    }
