"""Protects the flag on whom the hub had barred and a cut-off gate let in: by whom, since when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import msgspec

from admission.identity import Identifier, IdentifierKind, person_keyer
from admission.journal_record import Followup, FollowupKind
from admission.standing import CredentialStatus, PersonFacts
from cache.replica.alias import person_of
from hub.examination.examiner import Examiner
from hub.examination.following import Followed, Published
from hub.examination.notebook import Notebook, open_notebook
from hub.store.entries import FlagKind
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import PEOPLE
from tests.hub.examined import ExaminedMemory, Gate, a_notebook
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

KEY_OF = person_keyer(bytes(range(32)))
CARD, QID = (Identifier(kind, "1") for kind in (IdentifierKind.DOCUMENT, IdentifierKind.QID))
LINH = person_of(KEY_OF(CARD))
ON_RECORD = Person(1, (KnownIdentifier(CARD), KnownIdentifier(QID)), PersonFacts())
ISOLATED = msgspec.structs.replace(ON_RECORD, facts=PersonFacts(isolation_until=date(2021, 9, 30)))
LOST_CARD = msgspec.structs.replace(
    ON_RECORD,
    identifiers=(KnownIdentifier(CARD, CredentialStatus.REVOKED), KnownIdentifier(QID)),
)


async def _no_pause() -> None:
    return


class World:
    """A hub at a moment, with people on record and what gates are told."""

    def __init__(self, notebook: Notebook) -> None:
        self.people = MemoryStore()
        self.entries = ExaminedMemory()
        self.clock = ManualClock()
        self.published: Published | None = Published(10, 1)
        followed = Followed(self.people, notebook, KEY_OF, lambda: self.published, _no_pause)
        self.examiner = Examiner(self.entries, notebook, followed, pause=_no_pause)

    async def at(self, seconds: float, *people: Person) -> None:
        """Put people on record at a moment of the gates' time, and look."""
        self.clock.wall_ns = (1_632_099_600 + int(seconds)) * 10**9
        self.clock.monotonic_ns += 61 * 10**9
        if people:
            await self.people.put_people(people)
        await self.examiner.round(self.clock.now())

    async def tells(self, release: int) -> None:
        revisions = await self.people.revisions()
        self.published = Published(release, revisions[PEOPLE])
        self.clock.monotonic_ns += 61 * 10**9
        await self.examiner.round(self.clock.now())

    async def take(self, *gates: Gate) -> dict[tuple[str, int], set[FlagKind]]:
        for gate in gates:
            self.entries.take(gate.key, gate.entries)
        self.clock.monotonic_ns += 61 * 10**9
        await self.examiner.round(self.clock.now())
        return self.entries.flagged()


@asynccontextmanager
async def a_world(path: Path | None = None) -> AsyncIterator[World]:
    async with a_notebook() if path is None else open_notebook(path) as notebook:
        world = World(notebook)
        await world.at(0, ON_RECORD)
        yield world


REVOKED = {FlagKind.REVOKED_MEANWHILE}


def test_whom_a_gate_let_in_that_could_not_know_what_the_hub_knew_is_flagged() -> None:
    async def work() -> None:
        async with a_world() as world:
            await world.at(100, ISOLATED)
            await world.tells(12)
            gate = Gate("gate-a")
            gate.admits(LINH, 99)  # nobody knew
            gate.admits(LINH, 101, release=11)
            gate.admits(LINH, 102, release=12)  # the gate knew, and let in all the same
            gate.admits(LINH, 103, out=True)
            gate.admits(8, 104)
            gate.admits(KEY_OF(QID), 105, release=None)  # not on record there
            gate.admits(LINH, 30 * 86_400, release=11)  # the isolation is over
            flagged = await world.take(gate)
            assert {at for at, kinds in flagged.items() if kinds >= REVOKED} == {
                ("gate-a", 2),
                ("gate-a", 6),
            }
            detail = world.entries.raised[gate.key][2, FlagKind.REVOKED_MEANWHILE].detail
            assert detail == "isolated, known at the hub 1 s before; release 11"

    asyncio.run(work())


def test_while_no_gate_is_told_none_can_know() -> None:
    async def work() -> None:
        async with a_world() as world:
            await world.at(100, LOST_CARD)
            gate = Gate("gate-a")
            gate.admits(LINH, 101, release=99)
            assert await world.take(gate) == {("gate-a", 1): REVOKED}

    asyncio.run(work())


def test_what_is_taken_back_at_the_hub_counts_until_then(tmp_path: Path) -> None:
    async def work() -> None:
        async with a_world(tmp_path / "examination.db") as world:
            await world.at(100, ISOLATED)
            await world.at(200, ON_RECORD)
            await world.at(300, ISOLATED)
            gate = Gate("gate-a")
            for second in (150, 250, 350):
                gate.admits(LINH, second)
            assert await world.take(gate) == {("gate-a", 1): REVOKED, ("gate-a", 3): REVOKED}

    asyncio.run(work())


def test_nobody_passed_so_nobody_was_let_in_wrongly() -> None:
    async def work() -> None:
        async with a_world() as world:
            await world.at(100, ISOLATED)
            gate = Gate("gate-a")
            gate.admits(LINH, 150)
            assert await world.take(gate) == {("gate-a", 1): REVOKED}
            gate.follows(Followup(FollowupKind.NOT_PASSED, 1))
            assert await world.take(gate) == {}

    asyncio.run(work())


def test_after_a_large_import_everybody_is_looked_at_and_moments_stay() -> None:
    async def work() -> None:
        async with a_world() as world:
            await world.at(100, ISOLATED)
            async with world.people.change() as change:
                await change.clear_people()  # empties the log of changes
                await change.put_people(
                    [
                        ISOLATED,
                        msgspec.structs.replace(
                            LOST_CARD,
                            number=2,
                            identifiers=(
                                KnownIdentifier(
                                    Identifier(IdentifierKind.DOCUMENT, "2"),
                                    CredentialStatus.REVOKED,
                                ),
                            ),
                        ),
                    ]
                )
            await world.at(200)
            other = person_of(KEY_OF(Identifier(IdentifierKind.DOCUMENT, "2")))
            gate = Gate("gate-a")
            gate.admits(LINH, 150)
            gate.admits(other, 199)
            gate.admits(other, 200)
            flagged = await world.take(gate)
            assert flagged == {("gate-a", 1): REVOKED, ("gate-a", 3): REVOKED}

    asyncio.run(work())


def test_flags_stay_when_it_is_forgotten_since_when(tmp_path: Path) -> None:
    gate = Gate("gate-a")

    async def before() -> ExaminedMemory:
        async with a_world(tmp_path / "examination.db") as world:
            await world.at(100, ISOLATED)
            gate.admits(LINH, 150)
            await world.take(gate)
            return world.entries

    async def after(entries: ExaminedMemory) -> dict[tuple[str, int], set[FlagKind]]:
        async with open_notebook(tmp_path / "another.db") as notebook:
            examiner = Examiner(entries, notebook, pause=_no_pause)
            await examiner.round(ManualClock().now())
        return entries.flagged()

    assert asyncio.run(after(asyncio.run(before()))) == {("gate-a", 1): REVOKED}
