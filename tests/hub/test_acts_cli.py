"""Protects the hub's lists: what officers asked and were told is found, and names nobody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from admission.identity import Identifier, IdentifierKind, person_keyer
from admission.instant import ClockTrust, Instant
from admission.officer import CorrectionTopic, OverrideReason, correction, overridden
from admission.passage import Passage
from admission.standing import CredentialStatus, Officer, PersonFacts
from admission.verdict import Alert, Outcome
from admission.wire import pack_passage
from cache.replica.alias import person_of
from cache.replica.keys import load_hash_key
from hub.cli import hub
from hub.folder import DataFolder
from hub.intake import Arrival, Intake, arrival_of
from hub.keys import load_keys
from hub.seals import Seals
from hub.store.entries import JournalKey
from hub.store.port import KnownIdentifier, Person
from hub.store.sqlite import open_store
from tests.hub.gates import JOURNAL, a_batch, a_passage, chain
from tests.hub.sealed import sealed

NOW = Instant(1_632_100_000_000_000_000, 5, "hub-boot", ClockTrust.RTC)
NUMBER = "000190000001"
OFFICER = Officer(CredentialStatus.ACTIVE, 4016)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(hub, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def listed(folder: DataFolder, command: str, *options: object) -> list[dict[str, Any]]:
    told = run(command, "--data", folder.root, "--json", *options)
    return [json.loads(line) for line in told.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = DataFolder(tmp_path_factory.mktemp("acts") / "hub")
    run("init", "--data", folder.root)
    known = Identifier(IdentifierKind.DOCUMENT, NUMBER)
    key = person_keyer(load_hash_key(folder.hash_key))(known)
    held = msgspec.structs.replace(
        a_passage(1), person=person_of(key), outcome=Outcome.REFUSE, alerts=(Alert.ISOLATION,)
    )
    reason = OverrideReason.EMERGENCY
    entries: list[Passage] = [
        held,
        a_passage(2),
        overridden(held, 1, Outcome.ADMIT, reason, officer=OFFICER, now=NOW),
        correction(held, 1, CorrectionTopic.ISOLATION_OVER, officer=OFFICER, now=NOW),
        msgspec.structs.replace(
            a_passage(5), person=key, site="si\x1bte-2", alerts=(Alert.FORGERY,)
        ),
    ]

    async def take() -> None:
        async with open_store(folder.database) as store:
            await store.put_people([Person(12, (KnownIdentifier(known),), PersonFacts())])
            batch = a_batch(chain([pack_passage(e) for e in entries]))
            await Intake(store).receive(arrival_of(batch), NOW)

    asyncio.run(take())
    return folder


@pytest.fixture(scope="module")
def sealed_folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = DataFolder(tmp_path_factory.mktemp("sealed") / "hub")
    run("init", "--data", folder.root)
    seal_key = load_keys(folder.keys).seals.present
    assert seal_key is not None
    scan = msgspec.structs.replace(a_passage(1), person=77 << 2, alerts=(Alert.ISOLATION,))
    act = overridden(scan, 2, Outcome.ADMIT, OverrideReason.EMERGENCY, officer=OFFICER, now=NOW)

    async def take() -> None:
        async with open_store(folder.database) as store:
            seals = Seals.of(load_keys(folder.keys))
            arrival = Arrival(JournalKey("gate-1", JOURNAL), sealed([scan, act], seal_key), {1})
            await Intake(store, seals).receive(arrival, NOW)

    asyncio.run(take())
    return folder


def test_what_gates_sealed_is_read_with_the_hubs_key_and_not_without(
    sealed_folder: DataFolder,
) -> None:
    (decided,) = listed(sealed_folder, "overrides")
    assert (decided["officer"], decided["about"], decided["note"]) == (4016, 2, "emergency")
    (alert,) = listed(sealed_folder, "alerts")
    assert alert["person"] == f"{77 << 2:016x}"
    key = sealed_folder.keys / "seal.key"
    kept = key.with_name("elsewhere")
    key.rename(kept)
    try:
        (decided,) = listed(sealed_folder, "overrides")
        assert (decided["sealed"], "officer" in decided) == (True, False)
        assert "sealed" in run("overrides", "--data", sealed_folder.root)
    finally:
        kept.rename(key)


def test_corrections_say_what_about_which_entry_by_whom(folder: DataFolder) -> None:
    (one,) = listed(folder, "corrections", "--identify")
    assert (one["note"], one["about"], one["officer"]) == ("isolation_over", 1, 4016)
    assert (one["site"], one["lane"], one["device"], one["sequence"]) == (
        "site-1",
        "lane-1",
        "gate-1",
        4,
    )
    assert one["on_record"] == 12
    assert one["received"] == "2021-09-20T08:06:40+07:00"
    assert "on_record" not in listed(folder, "corrections")[0]


def test_overrides_and_alerts_have_their_own_lists(folder: DataFolder) -> None:
    (decided,) = listed(folder, "overrides")
    assert (decided["outcome"], decided["note"], decided["about"]) == ("admit", "emergency", 1)
    assert [one["alerts"] for one in listed(folder, "alerts")] == [["forgery"], ["isolation"]]
    assert [one["sequence"] for one in listed(folder, "alerts", "--site", "site-1")] == [1]
    assert len(listed(folder, "alerts", "--limit", 1)) == 1
    assert listed(folder, "alerts", "--since", "2021-09-20T08:06:41+07:00") == []
    assert len(listed(folder, "alerts", "--since", "2021-09-20T08:06:40+07:00")) == 2


def test_who_is_on_record_now_is_found_for_an_entry_of_before_and_of_since(
    folder: DataFolder,
) -> None:
    told = listed(folder, "alerts", "--identify")
    assert [one["on_record"] for one in told] == [12, 12]


def test_a_table_is_for_people_and_steers_no_terminal(folder: DataFolder) -> None:
    for command in ("alerts", "overrides", "corrections"):
        told = run(command, "--data", folder.root, "--identify")
        assert NUMBER not in told
        assert "\x1b" not in told
    assert "isolation_over" in run("corrections", "--data", folder.root)


def test_a_moment_without_a_time_zone_is_refused(folder: DataFolder) -> None:
    arguments = ["alerts", "--data", str(folder.root), "--since", "2021-09-20T08:00"]
    result = CliRunner().invoke(hub, arguments)
    assert result.exit_code == 2
    assert "time zone" in result.output
