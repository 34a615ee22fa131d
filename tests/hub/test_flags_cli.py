"""Protects the lists of remarks: found by kind and gate, with what to do, and naming nobody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from admission.instant import ClockTrust, Instant
from admission.journal_record import pack_passage_record, pack_public
from hub.cli import hub
from hub.flag_words import WHAT_TO_DO
from hub.folder import DataFolder
from hub.intake import Arrival, Intake
from hub.journals.finding import FindingKind
from hub.journals.words import WORDS
from hub.keys import load_keys
from hub.store.entries import Flag, FlagKind, JournalKey
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_passage, chain
from tests.hub.sealed import sealed

NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)
GATE_1, GATE_2 = JournalKey("gate-1", JOURNAL), JournalKey("gate-2", JOURNAL)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(hub, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def listed(folder: DataFolder, *command: object) -> list[dict[str, Any]]:
    told = run(*command, "--data", folder.root, "--json")
    return [json.loads(line) for line in told.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = DataFolder(tmp_path_factory.mktemp("flags") / "hub")
    run("init", "--data", folder.root)
    odd = msgspec.structs.replace(a_passage(1), site="si\x1bte", lane="lane-9")

    async def take() -> None:
        key = load_keys(folder.keys).seals.present
        assert key is not None
        async with open_store(folder.database) as store:
            packed = [pack_passage_record(pack_public(odd), b""), b"\xc1" * 40]
            await Intake(store).receive(Arrival(GATE_1, chain(packed), {1, 2}), NOW)
            # Taken in while the key was not there.
            entries = sealed([a_passage(1)], key)
            await Intake(store).receive(Arrival(GATE_2, entries, {1}), NOW)
            flag = Flag(1, FlagKind.DUPLICATE_PASSAGE, "gate-2 entry 2 at site-1 60 s before")
            await store.raise_flags(GATE_1, [flag], NOW.wall_ns + 10**9)

    asyncio.run(take())
    return folder


def test_flags_are_listed_the_last_first_with_what_to_do(folder: DataFolder) -> None:
    first, *rest = listed(folder, "flags")
    assert (first["kind"], first["device"], first["sequence"]) == ("duplicate_passage", "gate-1", 1)
    assert (first["site"], first["lane"], first["outcome"]) == ("si\x1bte", "lane-9", "admit")
    assert first["what_to_do"] == WHAT_TO_DO[FlagKind.DUPLICATE_PASSAGE]
    assert {one["kind"] for one in rest} == {"undecodable", "seal_unopened"}
    assert not {"person", "officer", "code_digest"} & {name for one in rest for name in one}


def test_flags_are_found_by_kind_gate_and_time(folder: DataFolder) -> None:
    assert [one["sequence"] for one in listed(folder, "flags", "--kind", "undecodable")] == [2]
    assert [one["kind"] for one in listed(folder, "flags", "--device", "gate-2")] == [
        "seal_unopened"
    ]
    since = listed(folder, "flags", "--since", "2021-09-20T08:06:41+07:00")
    assert [one["kind"] for one in since] == ["duplicate_passage"]
    assert len(listed(folder, "flags", "--limit", 1)) == 1


def test_a_table_is_for_people_and_steers_no_terminal(folder: DataFolder) -> None:
    told = run("flags", "--data", folder.root)
    assert "\x1b" not in told
    assert "undecodable (1 in all)" in told
    assert "update chot" in told


def test_every_kind_has_words() -> None:
    assert set(WHAT_TO_DO) == set(FlagKind)
    assert set(WORDS) == set(FindingKind)


def test_what_is_set_aside_is_shown_within_bounds_and_read_again(folder: DataFolder) -> None:
    aside = listed(folder, "entries", "set-aside", "--bytes", 4)
    by_reason = {one["reason"]: one for one in aside}
    assert by_reason["undecodable"]["raw"] == "c1c1c1c1"
    assert by_reason["undecodable"]["size"] == 40
    assert by_reason["seal_unopened"]["device"] == "gate-2"
    assert "c1c1" in run("entries", "set-aside", "--data", folder.root)
    run("entries", "reread", "--data", folder.root)
    left = listed(folder, "entries", "set-aside")
    assert [one["reason"] for one in left] == ["undecodable"]

    async def person() -> int | None:
        async with open_store(folder.database) as store:
            (_, entry) = await store.entries(GATE_2, 0, limit=2)
            assert entry.decoded is not None
            return entry.decoded.person

    assert asyncio.run(person()) == a_passage(1).person
