"""`chot replica` protects that a gate without a network can be filled, checked and asked."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli.main import main
from appliance.clock import SystemClock
from appliance.config import load_config
from appliance.replica_keeping import IMPORTED, REPLICA, TRUST
from cache.replica.book import ReplicaBook
from cache.replica.contents import subscription
from cache.replica.directory_source import DirectorySource
from cache.replica.keys import hash_key_id, load_hash_key, load_root
from cache.replica.replicate import Replicator
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust

RULEBOOK = Path(__file__).parents[3] / "configs" / "rulebooks" / "hcmc-2021-09.json"
PEOPLE = 60


def chot(*words: str | Path, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], input=given)


def done(*words: str | Path, given: str | None = None) -> str:
    result = chot(*words, given=given)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "data"
    done("hub", "init", "--data", folder)
    samples = folder / "samples.jsonl"
    words = ("--people", str(PEOPLE), "--samples", samples, "--sample-count", "20")
    done("hub", "synthesize", "--data", folder, *words)
    done("hub", "publish", "--data", folder)
    return folder


@pytest.fixture
def gate(hub: Path, tmp_path: Path) -> Path:
    config = tmp_path / "gate.toml"
    config.write_text(f"""
[site]
id = "gate-1"
name = "Cổng 1"
place = "factory"
district = "thu-duc"
directive = 16
rulebook = "{RULEBOOK}"
[appliance]
device = "gate-1"
state_dir = "{tmp_path / "state"}"
[hub]
url = "http://127.0.0.1:9"
root_file = "{hub / "keys" / "root.json"}"
hash_key_file = "{hub / "keys" / "hash.key"}"
[[lane]]
name = "in"
sources = [{{kind = "serial", name = "scanner", port = "/dev/ttyS0"}}]
bridge = {{kind = "mcu", port = "/dev/ttyS1"}}
""")
    return config


def at_its_next_look(gate: Path) -> None:
    """Let the gate do what it does once it runs: take what was imported."""
    config = load_config(gate)
    state = Path(config.appliance.state_dir)
    hash_key = load_hash_key(Path(config.hub.hash_key_file))
    trust = Trust.open(state / TRUST, load_root(Path(config.hub.root_file)))
    store = ReplicaStore(
        state / REPLICA, trust, hash_key_id(hash_key), takes=subscription(config.site.id)
    )
    imported = DirectorySource(state / REPLICA / IMPORTED)
    replicator = Replicator([imported], store, ReplicaBook(hash_key), SystemClock())
    asyncio.run(replicator.once())
    assert replicator.status().last_error == ""


def asked(gate: Path, number: str, *words: str) -> dict[str, Any]:
    common = ("--config", gate, "--purpose", "audit", "--json", *words)
    found: dict[str, Any] = json.loads(done("replica", "lookup", *common, given=f"{number}\n"))
    return found


def a_document(hub: Path) -> str:
    for line in (hub / "samples.jsonl").read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        if (sample["kind"], sample["expected"]) == ("personal_qr", "green"):
            return str(sample["text"]).partition("|")[0]
    raise AssertionError("no sample is green")


def test_an_empty_gate_says_what_to_do(gate: Path) -> None:
    assert "no release is here" in done("replica", "status", "--config", gate)
    for command in ("verify", "diff"):
        result = chot("replica", command, "--config", gate)
        assert result.exit_code == 1
        assert "→" in result.output


def test_a_release_goes_from_gate_to_gate_without_a_network(
    hub: Path, gate: Path, tmp_path: Path
) -> None:
    done("replica", "import", "--config", gate, hub)
    assert "no release is here" in done("replica", "status", "--config", gate), "not yet taken"
    at_its_next_look(gate)
    assert f"{PEOPLE} rows" in done("replica", "status", "--config", gate)
    done("replica", "export", "--config", gate, tmp_path / "usb")

    other = tmp_path / "other.toml"
    other.write_text(gate.read_text().replace(str(tmp_path / "state"), str(tmp_path / "other")))
    done("replica", "import", "--config", other, tmp_path / "usb")
    at_its_next_look(other)
    assert json.loads(done("replica", "verify", "--config", other, "--json"))["sound"]
    again = chot("replica", "import", "--config", other, tmp_path / "usb")
    assert again.exit_code == 1
    assert "no newer" in again.output


def test_of_a_mediums_metadata_only_what_was_judged_is_taken(
    hub: Path, gate: Path, tmp_path: Path
) -> None:
    shutil.copytree(hub / "published" / "replica", tmp_path / "usb")
    metadata = tmp_path / "usb" / "metadata"
    for name in ("stranger.json", "9.root.json", "7.targets.json"):
        (metadata / name).write_bytes(b"whatever")
    os.mkfifo(metadata / "pipe")
    done("replica", "import", "--config", gate, tmp_path / "usb")
    taken = {path.name for path in (tmp_path / "state" / REPLICA / IMPORTED / "metadata").iterdir()}
    assert "timestamp.json" in taken
    assert taken.isdisjoint({"stranger.json", "9.root.json", "7.targets.json", "pipe"})
    at_its_next_look(gate)
    assert f"{PEOPLE} rows" in done("replica", "status", "--config", gate)


def test_a_gate_that_runs_may_replace_its_trust_while_it_is_looked_at(
    hub: Path, gate: Path, tmp_path: Path
) -> None:
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    # As a file is that was listed and has got its name since.
    (tmp_path / "state" / TRUST / "timestamp.json.tmp").symlink_to("gone")
    assert "sound" in done("replica", "verify", "--config", gate)


def test_a_newer_release_that_waits_is_not_replaced_by_an_older_one(
    hub: Path, gate: Path, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    shutil.copytree(hub / "published" / "replica", stick / "replica")
    done("hub", "publish", "--data", hub)
    done("replica", "import", "--config", gate, hub)
    older = chot("replica", "import", "--config", gate, stick)
    assert older.exit_code == 1
    assert "no newer" in older.output


def test_a_look_up_is_answered_and_stands_in_the_journal(
    hub: Path, gate: Path, tmp_path: Path
) -> None:
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    number = a_document(hub)
    found = asked(gate, number)
    assert (found["lookup"], found["facts"]["status"]) == ("found", "active")
    assert len(found["facts"]["born"]) == 4, "no day is told that nobody has on record"
    assert asked(gate, "000000000000")["lookup"] == "not_found"
    tail = done("journal", "tail", tmp_path / "state" / "journal")
    assert tail.count("looked up for: audit") == 2
    assert number not in tail


def test_nobody_is_looked_up_without_a_reason(gate: Path) -> None:
    common = ("replica", "lookup", "--config", gate)
    assert chot(*common, "--purpose", "curiosity", given="1\n").exit_code == 2
    unsaid = chot(*common, given="000190123456\n")
    assert unsaid.exit_code == 2
    assert "--purpose" in unsaid.output
    assert "000190123456" not in unsaid.output, "it would stand in whatever keeps the output"


@pytest.mark.parametrize("typed", ["", "\n", "abc\n", "00019012345\n", b"\xff\xfe\n"])
def test_what_is_no_number_is_not_told_to_be_of_nobody(gate: Path, typed: str | bytes) -> None:
    result = chot("replica", "lookup", "--config", gate, "--purpose", "audit", given=typed)
    assert result.exit_code == 1
    assert "→" in result.output
    assert "on record" not in result.output


def test_a_withdrawn_pass_is_told_by_its_number(hub: Path, gate: Path) -> None:
    done("hub", "withdraw", "--data", hub, "pass", "5f0c2a9d41e7b386")
    done("hub", "publish", "--data", hub)
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    common = ("replica", "lookup", "--config", gate, "--purpose", "audit", "--kind", "pass_number")
    assert "withdrawn" in done(*common, given="5F0C 2A9D 41E7 B386\n")
    assert "withdrawn" not in done(*common, given="5f0c2a9d41e7b387\n")


def test_damage_is_told_and_ends_with_one(hub: Path, gate: Path, tmp_path: Path) -> None:
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    (path, *_) = (tmp_path / "state" / "replica" / "segments").glob("*.segment")
    data = bytearray(path.read_bytes())
    data[5_000] ^= 1
    path.write_bytes(data)
    result = chot("replica", "verify", "--config", gate)
    assert result.exit_code == 1
    assert "damaged" in result.output
    assert "not sound" in result.output
    exported = chot("replica", "export", "--config", gate, tmp_path / "usb")
    assert exported.exit_code == 1
    assert not (tmp_path / "usb" / "replica").exists()


def test_what_a_release_changed_is_counted(hub: Path, gate: Path) -> None:
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    done("hub", "synthesize", "--data", hub, "--people", str(PEOPLE + 5), "--seed", "9")
    done("hub", "publish", "--data", hub)
    done("replica", "import", "--config", gate, hub)
    at_its_next_look(gate)
    found = json.loads(done("replica", "diff", "--config", gate, "--json"))
    people = found["datasets"]["persons"]
    assert people["added"] + people["changed"] + people["same"] == PEOPLE + 5
    assert people["added"] > 5
    assert "persons" in done("replica", "diff", "--config", gate)


@pytest.mark.parametrize("words", [("import",), ("export",)])
def test_what_is_no_mirror_is_refused(gate: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = chot("replica", *words, "--config", gate, tmp_path / "empty")
    assert result.exit_code == 1
    assert "→" in result.output
