"""`chot journal`: what a technician sees, and what scripts get."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.daily_heads import JournalHead, pack_daily_heads
from admission.incident import incident
from admission.passage import Event
from admission.site import Direction
from admission.wire import pack_passage
from appliance.cli.journal import journal
from appliance.cli.main import main
from appliance.errors import ApplianceError
from cache.journal.catalogue import file_at
from cache.replica.keys import public_pem
from tests.cache.journal.anchored import DEVICE, HUB, a_gate
from tests.cache.journal.entries import an_entry, file_bytes
from tests.cache.journal.folders import not_ours, put
from tests.worlds import ManualClock, a_site


@pytest.fixture
def file(tmp_path: Path) -> Path:
    packed = [pack_passage(an_entry(n)) for n in range(1, 6)]
    path = file_at(tmp_path, 1).path
    path.write_bytes(file_bytes(packed)[0])
    return path


def called(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(journal, arguments)
    return result.exit_code, result.output


def test_a_folder_that_cannot_be_listed_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = called("tail", str(tmp_path / "none"))
    assert (code, "No such file or directory" in output) == (2, True)

    def closed(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("appliance.cli.journal_folder.os.scandir", closed)
    refused = CliRunner().invoke(journal, ["verify", str(tmp_path)]).exception
    assert isinstance(refused, ApplianceError)
    assert "sudo -u chot" in refused.hint


def test_a_sound_journal_is_said_to_be_sound(file: Path) -> None:
    code, output = called("verify", str(file.parent))
    assert code == 0
    assert "5 entries, 1 to 5" in output
    assert "sound" in output


def test_damage_is_named_with_what_to_do_and_fails(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    code, output = called("verify", str(file.parent))
    assert code == 1
    assert "entries 3 to 3 lost" in output
    assert "→" in output
    assert "sound" not in output


def test_scripts_get_one_object(file: Path) -> None:
    code, output = called("verify", str(file.parent), "--json")
    report = json.loads(output)
    assert code == 0
    assert (report["sound"], report["entries"], report["faults"]) == (True, 5, [])


@pytest.mark.parametrize("command", [["verify"], ["verify", "--json"], ["tail"]])
def test_a_wrong_folder_does_not_pass_for_a_sound_journal(
    tmp_path: Path, command: list[str]
) -> None:
    result = CliRunner().invoke(main, ["journal", *command, str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path}: no journal here" in result.output
    assert "name the folder that holds *.journal files" in result.output


def test_a_folder_of_damaged_files_alone_is_damage_not_a_wrong_folder(file: Path) -> None:
    file.rename(file.with_name(f"{file.name}.damaged"))
    code, output = called("verify", str(file.parent))
    assert code == 1
    assert file.name in output
    assert "None" not in output


def test_the_last_entries_are_shown(file: Path) -> None:
    code, output = called("tail", str(file.parent), "-n", "2")
    lines = output.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["4", "5"]
    assert "admit" in lines[0]
    assert "card_opens" in lines[0]


def test_entries_as_json_do_not_say_whom_they_concern(file: Path) -> None:
    _, output = called("tail", str(file.parent), "--json")
    entries = [json.loads(line) for line in output.splitlines()]
    assert [entry["sequence"] for entry in entries] == [1, 2, 3, 4, 5]
    assert not {"person", "code_digest"} & entries[0].keys()


def test_what_an_officer_did_is_told(tmp_path: Path) -> None:
    act = msgspec.structs.replace(
        an_entry(2), event=Event.OVERRIDE, about=1, officer=4016, note="emergency"
    )
    packed = [pack_passage(an_entry(1)), pack_passage(act)]
    file_at(tmp_path, 1).path.write_bytes(file_bytes(packed)[0])
    _, output = called("tail", str(tmp_path))
    assert "officer" not in output.splitlines()[0]
    assert "override of 1 by officer 4016: emergency" in output.splitlines()[1]


def test_what_happened_without_a_code_is_told_in_words(tmp_path: Path) -> None:
    now = ManualClock().now()
    packed = [
        pack_passage(incident(a_site(), "north", event, note, direction=Direction.OUT, now=now))
        for event, note in ((Event.FORCED, ""), (Event.UNLISTED, "forced 17"))
    ]
    file_at(tmp_path, 1).path.write_bytes(file_bytes(packed)[0])
    forced, unlisted = called("tail", str(tmp_path))[1].splitlines()
    assert forced.endswith("north  gate, way out: somebody went through unadmitted")
    assert unlisted.endswith("north  gate, way out: 17 more went through unadmitted")


def test_a_hostile_file_steers_no_terminal(tmp_path: Path) -> None:
    packed = [pack_passage(an_entry(1, lane="\x1b[2Jlane")), b"\x81\xa1x\xa5\x1b[2J!"]
    file_at(tmp_path, 1).path.write_bytes(file_bytes(packed)[0])
    code, output = called("tail", str(tmp_path))
    assert code == 0
    assert "\x1b" not in output
    assert len(output.splitlines()) == 2


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A gate's state folder with an anchored journal of all kinds of entries."""
    put(a_gate(), tmp_path / "journal")
    (tmp_path / "identity").mkdir()
    (tmp_path / "identity" / "device.pub").write_bytes(public_pem([DEVICE.public_key()]))
    return tmp_path


def test_what_the_gate_and_the_hub_signed_is_told(state: Path) -> None:
    code, output = called("verify", str(state / "journal"))
    assert code == 0
    assert "anchored by the gate through entry" in output
    assert "held by the hub through entry" in output
    assert "--device-key" not in output  # the state folder's own was found
    assert "--root" in output  # nothing there says which hub


def test_a_deleted_end_is_told_with_what_was_lost(state: Path) -> None:
    folder = state / "journal"
    max(folder.glob("*.journal")).unlink()
    code, output = called("verify", str(folder))
    assert code == 1
    assert "missing" in output
    assert "lost" in output


def test_a_key_from_elsewhere_is_the_one_that_counts(state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pub"
    other.write_bytes(public_pem([Ed25519PrivateKey.generate().public_key()]))
    code, output = called("verify", str(state / "journal"), "--device-key", str(other))
    assert code == 1
    assert "journal.anchor" in output


def test_the_hub_s_mark_is_checked_with_keys_that_are_named(state: Path, tmp_path: Path) -> None:
    keys = tmp_path / "head.pub"
    keys.write_bytes(public_pem([HUB.public_key()]))
    code, output = called("verify", str(state / "journal"), "--head-keys", str(keys), "--json")
    report = json.loads(output)
    assert (code, report["anchor_checked"], report["mark_checked"]) == (0, True, True)
    keys.write_bytes(public_pem([DEVICE.public_key()]))
    code, output = called("verify", str(state / "journal"), "--head-keys", str(keys))
    assert code == 1
    assert "the hub did not sign this" in output


@pytest.mark.parametrize("change", ["nothing", "cut", "altered", "unsigned"])
def test_a_list_that_the_hub_published_shows_what_was_done_since(
    state: Path, tmp_path: Path, change: str
) -> None:
    """The anchor went with what was removed: whoever has the device's key could make another."""
    folder, keys, day = state / "journal", tmp_path / "head.pub", tmp_path / "2026-11-01"
    keys.write_bytes(public_pem([HUB.public_key()]))
    gate = a_gate()
    last = gate.marks[gate.position.last_sequence]
    chain_hash = bytes(32) if change == "altered" else last.chain_hash
    heads = [JournalHead("gate-1", last.journal, last.last_sequence, chain_hash)]
    key = DEVICE if change == "unsigned" else HUB
    day.write_bytes(pack_daily_heads("2026-11-01", 1, heads, key))
    if change == "cut":
        max(folder.glob("*.journal")).unlink()
        (folder / "journal.anchor").unlink()
        (state / "identity" / "device.pub").unlink()
    options = ("--head-keys", str(keys), "--published", str(day))
    result = CliRunner().invoke(main, ["journal", "verify", str(folder), *options])
    assert result.exit_code == (change != "nothing")
    said = {
        "nothing": f"published by the hub through entry {last.last_sequence}",
        "cut": "lost",
        "altered": "mark",
        "unsigned": "not signed by a key that is trusted here",
    }
    assert said[change] in result.output


def test_what_followed_stands_with_its_entry(state: Path) -> None:
    _, folded = called("tail", str(state / "journal"), "-n", "30")
    _, lines = called("tail", str(state / "journal"), "-n", "30", "--lines")
    assert "→ actuated after 12 ms" in folded
    assert "→ entry" not in folded
    assert "→ entry" in lines
    assert len(folded.splitlines()) == len(lines.splitlines()) == 30


def test_entries_are_found_by_what_they_say(state: Path) -> None:
    folder = str(state / "journal")
    code, output = called("find", folder, "--event", "correction", "--json")
    found = [json.loads(text) for text in output.splitlines()]
    assert code == 0
    acts = {entry["sequence"] for entry in found if entry["event"] == "correction"}
    followups = [entry for entry in found if entry["event"] == "followup"]
    assert acts == a_gate().acts
    assert len(found) == len(acts) + len(followups)
    assert {entry["about"] for entry in followups} <= acts
    code, output = called("find", folder, "--event", "correction", "--event", "scan", "--json")
    either = [entry for entry in map(json.loads, output.splitlines()) if "lane" in entry]
    assert {entry["sequence"] for entry in either} == a_gate().acts | a_gate().scans
    assert called("find", folder, "--lane", "no-such-lane") == (1, "No entry fits.\n")
    backwards = ("--since", "2021-09-17", "--until", "2021-09-16")
    refused = CliRunner().invoke(journal, ["find", folder, *backwards])
    assert str(refused.exception) == "--until is not after --since"


@pytest.mark.parametrize("kind", ["pipe", "link", "loop", "folder", "device"])
def test_what_is_no_file_is_a_fault_and_stops_no_command(file: Path, kind: str) -> None:
    not_ours(file_at(file.parent, 6).path, kind)
    code, output = called("verify", str(file.parent))
    assert (code, "entry 6" in output) == (1, True)
    code, output = called("tail", str(file.parent))
    assert (code, len(output.splitlines())) == (0, 5)
    code, output = called("export", str(file.parent), "-o", str(file.parent / "out"))
    assert (code, "5 rows" in output) == (0, True)


def test_names_in_the_folder_do_not_speak_for_the_command(file: Path) -> None:
    (file.parent / "x\n\x1b[2Jsound: every entry.damaged").touch()
    (file.parent / ("ab" * 16)).touch()  # as a retired journal's folder is named
    code, output = called("verify", str(file.parent))
    assert code == 1
    assert "\x1b" not in output
    assert "\nsound" not in output
    assert "5 entries" in output
