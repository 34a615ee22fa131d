"""Protects who passed: a token tells a person again until the reset, and to nobody without the key.

And the key is never yesterday's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust, Instant
from admission.reset import DailyReset
from appliance.pseudonym_key import KEY_FILE, KeyPlace, new_record
from appliance.pseudonyms import Pseudonyms
from tests.worlds import VIETNAM, ManualClock

RESET = DailyReset(4 * 60, VIETNAM)
DAY_S = 86_400
KEY = bytes(range(32))


class Journal:
    """The end of a journal."""

    def __init__(self, journal_id: bytes = bytes(16), last_sequence: int = 0) -> None:
        self.journal_id = journal_id
        self.last_sequence = last_sequence


class Gate:
    """A gate's pseudonyms, over restarts; each key that is drawn is another one."""

    def __init__(self, place: KeyPlace) -> None:
        self.place, self.clock, self.journal = place, ManualClock(), Journal()
        self._drawn = 0

    def _draw(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")

    async def start(self) -> Pseudonyms:
        return await Pseudonyms.open(
            self.place, RESET, self.journal, self.clock, random_bytes=self._draw
        )

    def token(self, pseudonyms: Pseudonyms, person: int = 7) -> int:
        return pseudonyms.token(person, b"", self.clock.now())


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(KeyPlace(tmp_path))


def unkept(key: bytes = KEY) -> Pseudonyms:
    record = new_record(key, None, bytes(16), 1)
    clock = ManualClock(trust=ClockTrust.UNKNOWN)
    return Pseudonyms(record, KeyPlace(None), RESET, Journal(), clock, random_bytes=os.urandom)


NOW = ManualClock(trust=ClockTrust.UNKNOWN).now()


def test_the_form_of_a_token_is_what_it_was() -> None:
    # By RFC 7693's own parameters: tokens of a running day must outlive an update.
    for person, digest, message in (
        (7, b"d", b"p\x07" + bytes(7)),
        (None, b"digest", b"cdigest"),
    ):
        expected = hashlib.blake2b(message, digest_size=8, key=KEY, person=b"chot token 1")
        token = unkept().token(person, digest, NOW)
        assert token == int.from_bytes(expected.digest(), "little")
    assert unkept().token(7, b"", NOW) == 0x789C85C6C3EB062D


@given(st.integers(0, (1 << 64) - 1), st.binary(min_size=9, max_size=16))
def test_a_person_and_a_code_are_never_taken_for_each_other(person: int, digest: bytes) -> None:
    pseudonyms = unkept()
    tokens = {
        pseudonyms.token(person, digest, NOW),
        pseudonyms.token(None, digest, NOW),
        pseudonyms.token(None, person.to_bytes(8, "little"), NOW),
        unkept(bytes(32)).token(person, digest, NOW),
    }
    assert len(tokens) == 4
    assert all(0 <= token < 1 << 64 for token in tokens)
    assert pseudonyms.token(person, b"", NOW) in tokens


async def test_keys_for_other_purposes_end_with_the_one_in_force(gate: Gate) -> None:
    pseudonyms = await gate.start()
    one = pseudonyms.derived_key(b"one")
    assert one == (await gate.start()).derived_key(b"one")
    assert len({one, pseudonyms.derived_key(b"two"), pseudonyms._record.key}) == 3
    gate.clock.advance(DAY_S)
    pseudonyms.settle(gate.clock.now())
    assert pseudonyms.derived_key(b"one") != one


async def test_a_restart_knows_people_again(gate: Gate) -> None:
    pseudonyms = await gate.start()
    assert pseudonyms.finding().ok
    before = gate.token(pseudonyms)
    gate.journal.last_sequence = 9
    again = await gate.start()
    assert gate.token(again) == before
    assert again.named_from == 1


async def test_a_power_cut_makes_a_key_that_knows_nobody(gate: Gate) -> None:
    before = gate.token(await gate.start())
    (gate.place.folder / KEY_FILE).unlink()  # type: ignore[operator]
    gate.journal.last_sequence = 9
    again = await gate.start()
    assert gate.token(again) != before
    assert again.named_from == 10


async def test_the_reset_replaces_the_key_and_its_file(gate: Gate) -> None:
    told: list[Instant] = []
    pseudonyms = await gate.start()
    pseudonyms.listen(told.append)
    before, file = gate.token(pseudonyms), KEY_FILE
    kept = (gate.place.folder / file).read_bytes()  # type: ignore[operator]
    gate.clock.advance(19 * 3600)  # three in the morning
    assert gate.token(pseudonyms) == before
    assert told == []
    gate.clock.advance(3600)
    gate.journal.last_sequence = 5
    after = gate.token(pseudonyms)
    assert after != before
    assert [one.wall_ns for one in told] == [gate.clock.wall_ns]
    assert pseudonyms.named_from == 6
    await pseudonyms.write()
    held = (gate.place.folder / file).read_bytes()  # type: ignore[operator]
    assert kept[3:35] not in held
    assert gate.token(await gate.start()) == after


async def test_a_key_whose_day_went_by_while_the_gate_was_off_is_not_used(gate: Gate) -> None:
    before = gate.token(await gate.start())
    gate.clock.advance(DAY_S)
    gate.journal.last_sequence = 3
    pseudonyms = await gate.start()
    assert gate.token(pseudonyms) != before
    assert pseudonyms.named_from == 4


async def test_a_gate_where_nobody_passes_replaces_the_key_as_well(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    pseudonyms = await gate.start()
    before, replaced = gate.token(pseudonyms), asyncio.Event()
    pseudonyms.listen(lambda _: replaced.set())
    monkeypatch.setattr("appliance.pseudonyms.LOOK_S", 0.001)
    running = asyncio.create_task(pseudonyms.run())
    gate.clock.advance(DAY_S)
    await asyncio.wait_for(replaced.wait(), 5)
    running.cancel()
    await asyncio.wait([running])
    assert gate.token(pseudonyms) != before


async def test_undated_clocks_and_small_steps_back_replace_nothing(gate: Gate) -> None:
    gate.clock.trust = ClockTrust.UNKNOWN
    pseudonyms = await gate.start()
    before = gate.token(pseudonyms)
    gate.clock.advance(3 * DAY_S)
    assert gate.token(pseudonyms) == before
    gate.clock.trust = ClockTrust.SYNCHRONISED  # the first dated day takes it over
    assert gate.token(pseudonyms) == before
    gate.clock.advance(DAY_S)
    today = gate.token(pseudonyms)
    assert today != before
    gate.clock.wall_ns -= DAY_S * 10**9
    assert gate.token(pseudonyms) == today
    gate.clock.advance(DAY_S)  # the same reset once more
    assert gate.token(pseudonyms) == today


async def test_a_clock_that_was_far_ahead_stops_no_later_reset(gate: Gate) -> None:
    pseudonyms = await gate.start()
    gate.clock.advance(3650 * DAY_S)
    ahead = gate.token(pseudonyms)
    gate.clock.wall_ns -= 3650 * DAY_S * 10**9
    assert gate.token(pseudonyms) == ahead
    gate.clock.advance(DAY_S)
    assert gate.token(pseudonyms) != ahead


async def test_where_no_memory_is_ours_the_health_report_says_so() -> None:
    gate = Gate(KeyPlace(None))
    pseudonyms = await gate.start()
    assert gate.token(pseudonyms) == gate.token(pseudonyms)
    assert "no folder of ours" in pseudonyms.finding().why


async def test_another_journal_begins_with_names(gate: Gate) -> None:
    gate.journal.last_sequence = 50
    before = gate.token(await gate.start())
    gate.journal = Journal(b"j" * 16)
    pseudonyms = await gate.start()
    assert (gate.token(pseudonyms), pseudonyms.named_from) == (before, 1)


async def test_a_file_that_cannot_be_written_costs_no_scan(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    pseudonyms = await gate.start()
    gate.place.folder = Path("/proc/nowhere")
    gate.clock.advance(DAY_S)
    gate.token(pseudonyms)
    await pseudonyms.write()
    assert "cannot be kept" in caplog.text
    assert "cannot be kept" in pseudonyms.finding().why
    assert pseudonyms._record.key.hex() not in caplog.text
