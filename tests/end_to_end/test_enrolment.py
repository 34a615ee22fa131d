"""A gate from its token to the deny list: real processes, real TLS, a certificate on both ends."""

from __future__ import annotations

import itertools
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.identity import identity_of
from firmware_bridge.bridges.simulated import SimulatedBoard
from hub.cli import hub as hub_commands
from scanner.serial.simulated import SimulatedScanner
from tests.end_to_end.running import DEVICE, RunningGate, RunningHub, until

SITE, SERIAL = "site-under-test", "10000000abcdef01"


def at_the_hub(hub: RunningHub, *arguments: str) -> str:
    done = CliRunner().invoke(hub_commands, [*arguments, "--data", str(hub.folder)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def hub(prepared_hub: Path, tmp_path: Path) -> Iterator[RunningHub]:
    """A hub that serves TLS by itself, and has heard of no gate."""
    shutil.copytree(prepared_hub, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "state")
    hub = RunningHub(tmp_path)
    hub.arguments = ["--tls", "--name", "localhost"]
    try:
        hub.start()
        yield hub
    finally:
        hub.stop(signal.SIGKILL)


@pytest.fixture
def gate(hub: RunningHub, tmp_path: Path) -> Iterator[RunningGate]:
    with (
        SimulatedScanner(link=tmp_path / "scanner") as scanner,
        SimulatedBoard(time.monotonic_ns) as board,
    ):
        gate = RunningGate(tmp_path, hub, scanner, board)
        files = r"(root_file|hash_key_file) = .*\n"
        gate.config.write_text(re.sub(files, "", gate.config.read_text()))
        try:
            yield gate
        finally:
            gate.kill()


def enrol(hub: RunningHub, gate: RunningGate, folder: Path) -> str:
    token = folder / "enrolment.token"
    at_the_hub(
        hub, "enrol", "token", "--site", SITE, "--serial", SERIAL, "--url", hub.url,
        "--token-file", str(token),
    )  # fmt: skip
    command = [
        sys.executable, "-m", "appliance", "enrol", "--config", str(gate.config),
        "--serial", SERIAL, "--token-file", str(token),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            listed = until(lambda: at_the_hub(hub, "enrol", "list"), "a request that waits")
            number, device, *_, shown = listed.split("\t")[:5]
            assert device == DEVICE
            at_the_hub(hub, "enrol", "approve", "--replace", number)
            said = process.communicate(timeout=60)[1].decode()
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert shown in said, "both sides show the same fingerprint"
    return said


def status_with(hub: RunningHub, gate: RunningGate, path: str) -> int:
    files = identity_of(gate.state)
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(files.certificate, files.key)
    try:
        with urllib.request.urlopen(hub.url + path, context=context, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_gate_is_enrolled_uploads_is_denied_and_loses_nothing(
    hub: RunningHub, gate: RunningGate, tmp_path: Path
) -> None:
    assert "Enrolled" in enrol(hub, gate, tmp_path)
    gate.start()
    texts = hub.texts()

    def acknowledged() -> bool:
        facts = gate.health()["checks"]
        through = facts["hub"]["facts"]["acknowledged_through"]
        return bool(through) and through == facts["journal"]["facts"]["entries"]

    gate.scan(f"{texts[0]}\r".encode())
    until(acknowledged, "an upload over mutual TLS")
    identity = gate.health()["checks"]["identity"]
    assert (identity["ok"], identity["facts"]["device"]) == (True, DEVICE)
    assert status_with(hub, gate, "/healthz") == 200

    at_the_hub(hub, "device", "deny", DEVICE)
    assert status_with(hub, gate, "/healthz") == 403
    codes = itertools.cycle(texts[1:])

    def told() -> bool:
        """Scan on: for a second the hub may still take what comes (it remembers devices)."""
        if "denied" in gate.health()["checks"]["hub"]["why"]:
            return True
        gate.scan(f"{next(codes)}\r".encode())
        return False

    until(told, "word of the denial")
    entries = gate.health()["checks"]["journal"]["facts"]
    assert entries["pending"] > 0
    assert gate.health()["state"] == "degraded", "it serves on"

    at_the_hub(hub, "device", "allow", DEVICE)
    until(acknowledged, "all that was recorded meanwhile at the hub", timeout_s=60)
    assert gate.entries() >= entries["entries"]
