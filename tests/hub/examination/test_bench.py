"""Protects the examiner on a real hub: what is published, kept and sealed fits together."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.identity import Identifier, IdentifierKind, person_keyer
from admission.instant import ClockTrust, Instant
from admission.standing import PersonFacts
from cache.replica.alias import person_of
from hub.cli import hub
from hub.examination.examiner import Examiner
from hub.examination.notebook import open_notebook
from hub.examination.task import bench_of
from hub.folder import DataFolder
from hub.intake import Arrival, Intake
from hub.keys import load_keys
from hub.publish import Publisher
from hub.release import Release
from hub.seals import Seals
from hub.store.entries import FlagKind, JournalKey
from hub.store.port import KnownIdentifier, Person
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_passage
from tests.hub.sealed import SEAL_KEY, Keys, sealed
from tests.worlds import ManualClock

NUMBER = Identifier(IdentifierKind.DOCUMENT, "000190000001")
LINH = Person(1, (KnownIdentifier(NUMBER),), PersonFacts())
ISOLATED = msgspec.structs.replace(LINH, facts=PersonFacts(isolation_until=date(2021, 9, 30)))
OTHERS = JournalKey("gate-2", bytes(16))
KEY = JournalKey("gate-1", JOURNAL)
NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)


async def _no_pause() -> None:
    return


def test_what_a_gate_sealed_is_judged_by_what_the_hub_knew_and_published(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    CliRunner().invoke(hub, ["init", "--data", str(folder.root)])
    keys, clock = load_keys(folder.keys), ManualClock(datetime(2021, 9, 20, 1, 0, tzinfo=UTC))
    assert keys.seals.present is not None
    key = person_of(person_keyer(keys.hash_key)(NUMBER))
    publisher = Publisher(folder.published, keys)

    async def work() -> None:
        async with (
            open_store(folder.database) as store,
            bench_of(store, folder, keys, publisher)() as bench,
        ):
            release, intake = Release(store, publisher), Intake(store, Seals.of(keys))
            await store.put_people([LINH])
            first = await release.publish(clock.now())
            await bench.examiner.round(clock.now())
            clock.advance(60)
            await store.put_people([ISOLATED])
            await bench.examiner.round(clock.now())
            clock.advance(60)
            second = await release.publish(clock.now())
            await bench.examiner.round(clock.now())
            clock.advance(60)
            assert first is not None
            assert second is not None

            def passed(release: int, seconds: int) -> object:
                wall_ns = clock.wall_ns + seconds * 10**9
                return msgspec.structs.replace(
                    a_passage(1), person=key, release=release, wall_ns=wall_ns
                )

            for where, passages in (
                (KEY, [passed(first.sequence, 0), passed(second.sequence, 1)]),
                (OTHERS, [passed(second.sequence, 2)]),
            ):
                entries = sealed(passages, keys.seals.present, where.journal)  # type: ignore[arg-type]
                await intake.receive(Arrival(where, entries, {1}), clock.now())
            await bench.examiner.round(clock.now())
            raised = await store.all_flags(limit=9)
            assert {(one.key.device, one.flag.sequence, one.flag.kind) for one in raised} == {
                ("gate-1", 2, FlagKind.REVOKED_MEANWHILE),
                ("gate-2", 2, FlagKind.DUPLICATE_PASSAGE),
            }

    asyncio.run(work())


EXTREMES = st.sampled_from([-(1 << 63) + 1, -1, 0, 1 << 62, (1 << 63) - 1])


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(EXTREMES, EXTREMES, st.sampled_from([None, 0, (1 << 64) - 1]), EXTREMES),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_numbers_a_gate_writes_it_is_examined(
    numbers: list[tuple[int, int, int | None, int]],
) -> None:
    passages = [
        msgspec.structs.replace(
            a_passage(1), wall_ns=wall, monotonic_ns=mono, person=person, release=release
        )
        for wall, mono, person, release in numbers
    ]

    async def work(folder: DataFolder) -> None:
        async with (
            open_store(folder.database) as store,
            open_notebook(folder.examination) as notebook,
        ):
            entries = sealed(passages)
            await Intake(store, Keys(SEAL_KEY)).receive(Arrival(KEY, entries, {1}), NOW)
            examiner = Examiner(store, notebook, pause=_no_pause)
            await examiner.round(NOW)
            assert not examiner.stuck
            assert (await notebook.cursors())[KEY].through == len(entries)

    with TemporaryDirectory() as folder:
        asyncio.run(work(DataFolder(Path(folder))))
