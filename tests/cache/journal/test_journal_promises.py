"""Whatever the medium does and when: what lanes were told is what stands in the files."""

from __future__ import annotations

import asyncio
import errno
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from cache.journal.errors import (
    JournalTimeout,
)
from cache.journal.file_journal import FileJournal
from cache.journal.verification import verify
from tests.cache.journal.entries import all_entries, an_entry, sealed_for
from tests.cache.journal.media import GatedMedium
from tests.cache.journal.unruly import HUB, opened, secured

STEPS = st.lists(
    st.sampled_from(("append", "append", "unsecured", "follow", "hold", "refuse", "mend", "wait")),
    max_size=14,
)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_what_lanes_were_told_is_what_stands_in_the_files(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_lived_through(Path(folder), steps))


async def _lived_through(folder: Path, steps: list[str]) -> None:
    medium = GatedMedium()
    tasks: dict[int, asyncio.Task[int]] = {}
    policy: set[int] = set()
    async with opened(folder, medium, rotate_bytes=1_500) as journal:
        for number, step in enumerate(steps, start=1):
            match step:
                case "append" | "unsecured":
                    unsecured = step == "unsecured"
                    append = journal.append(an_entry(number), timeout_s=0.004, unsecured=unsecured)
                    tasks[number] = asyncio.create_task(append)
                    policy |= {number} if unsecured else set()
                case "follow":
                    journal.follow(Followup(FollowupKind.PASSED, 1, 5))
                case "hold":
                    medium.hold()
                case "refuse":
                    medium.refusal = OSError(errno.EIO, "Input/output error")
                case "mend":
                    medium.refusal = None
                    medium.gate.set()
                case _:
                    await asyncio.wait([*tasks.values()] or [asyncio.create_task(asyncio.sleep(0))])
            await asyncio.sleep(0)
        told = dict(
            zip(tasks, await asyncio.gather(*tasks.values(), return_exceptions=True), strict=True)
        )
        medium.refusal = None
        medium.gate.set()
        await secured(journal)
    assert verify(folder).sound
    _agrees(told, policy, await _by_sequence(folder, journal))


async def _by_sequence(folder: Path, journal: FileJournal) -> dict[int, Passage | Followup]:
    entries = await all_entries(None, folder, verify(folder).last_sequence)
    session = [entries[0]] if entries else []
    found: dict[int, Passage | Followup] = {}
    for entry in entries:
        held = sealed_for(HUB, journal.journal_id, [*session, entry])
        if held:
            found[entry.sequence] = held[-1]
        else:
            session = [entry]
    return found


def _agrees(
    told: dict[int, int | BaseException], policy: set[int], found: dict[int, Passage | Followup]
) -> None:
    numbers = {entry.monotonic_ns: s for s, entry in found.items() if isinstance(entry, Passage)}
    notes = {
        (one.about, one.kind)
        for one in found.values()
        if isinstance(one, Followup) and one.kind is not FollowupKind.PASSED
    }
    places = {number: numbers.get(an_entry(number).monotonic_ns) for number in told}
    for number, answer in told.items():
        place = places[number]
        if isinstance(answer, int):
            assert place == answer, "what was acknowledged stands where it was said to"
            assert not {note for note in notes if note[0] == place}
        elif number in policy:
            assert place is not None, "what policy vouched for is written in the end"
            assert (place, FollowupKind.UNSECURED) in notes
        elif place is not None:
            assert isinstance(answer, JournalTimeout)
            assert answer.in_doubt, "what was taken back is never found"
            assert (place, FollowupKind.WITHHELD) in notes
