"""Real processes on loopback: a hub, and a gate with its devices on pseudo-terminals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from admission.journal_record import PassageRecord, unpack_record
from appliance.identity import identity_of, signing_key
from cache.journal.verification import entries_of
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from hub.store.entries import EntryCount
from hub.store.sqlite import open_store
from scanner.serial.simulated import SimulatedScanner
from tests.worlds import ROOT

DEVICE = "gate-under-test"
WIRED = BoardConfiguration(hold=True)
"""Codes come faster here than people walk: one admission extends the other's, none has to wait."""
T = TypeVar("T")


def until(answer: Callable[[], T | None], what: str, timeout_s: float = 30.0) -> T:
    """Return the first answer that is true, or fail naming what did not come about."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        found = answer()
        if found:
            return found
        pause.wait(0.05)
    message = f"{what} did not come about within {timeout_s:.0f} s"
    raise AssertionError(message)


def get(url: str, token: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def command(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", *arguments], check=False, capture_output=True, timeout=60, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def prepare_hub(folder: Path, people: int = 500) -> None:
    """Make the files of a hub of synthetic people; a `RunningHub` serves a copy of them."""
    data = ("--data", str(folder / "hub"))
    command("hub", "init", *data)
    command(
        "hub", "synthesize", *data, "--people", str(people), "--seed", "7",
        "--samples", str(folder / "samples.jsonl"), "--sample-count", "200",
    )  # fmt: skip
    command("hub", "publish", *data)
    identity = identity_of(folder / "state")
    signing_key(identity)  # the gate finds it there
    command(
        "hub", "device", *data, DEVICE, "--public-key", str(identity.public_key),
    )  # fmt: skip


class RunningHub:
    """A hub of synthetic people. It can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hub"
        self.samples = folder / "samples.jsonl"
        self._announced = folder / "announced.json"
        self._log = folder / "hub.log"
        self.arguments: list[str] = []
        """More of them, for `chot hub serve`."""
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        self._announced.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "hub", "serve", "--data", str(self.folder),
                    "--port", str(self._port), "--announce", str(self._announced),
                    *self.arguments,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._announced.exists, "the hub's announcement")
        self.url = json.loads(self._announced.read_text())["url"].rstrip("/")
        self._port = int(self.url.rsplit(":", 1)[1])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def count(self) -> dict[str, Any]:
        async def counted() -> EntryCount:
            async with open_store(self.folder / "hub.db") as store:
                return await store.count(DEVICE)

        return msgspec.structs.asdict(asyncio.run(counted()))

    def texts(self) -> list[str]:
        return [json.loads(line)["text"] for line in self.samples.read_text().splitlines()]


def gate_configuration(hub: RunningHub, state: Path, lanes: str) -> str:
    """Return the TOML of a gate of this hub, whose lanes are tables as text."""
    return f"""
[site]
id = "site-under-test"
name = "Test"
place = "control_station"
district = "d"
district_code = 760
directive = 15
rulebook = "{ROOT / "configs/rulebooks/hcmc-2021-09.json"}"
[appliance]
device = "{DEVICE}"
state_dir = "{state}"
[hub]
url = "{hub.url}"
root_file = "{hub.folder / "keys/root.json"}"
hash_key_file = "{hub.folder / "keys/hash.key"}"
poll_s = 0.5
[kiosk]
port = 0
{lanes}"""


class RunningGate:
    """`chot run` with one serial lane; scanner and board are simulated on real ports."""

    def __init__(
        self, folder: Path, hub: RunningHub, scanner: SimulatedScanner, board: SimulatedBoard
    ) -> None:
        self.scanner = scanner
        self.board = board
        self.state = folder / "state"
        self.config = folder / "gate.toml"
        lane = f"""
[[lane]]
name = "lane-1"
rearm_s = 0.05
sources = [{{kind = "serial", name = "scanner-1", port = "{scanner.path}"}}]
bridge = {{kind = "mcu", port = "{board.path}"}}
"""
        self.config.write_text(gate_configuration(hub, self.state, lane))
        self.log = folder / "gate.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.environ: dict[str, str] = {}

    def launch(self) -> None:
        """Start the process, without waiting for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env=os.environ | self.environ,
            )  # fmt: skip

    def kill(self) -> None:
        """End the process, whatever state it is in."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def start(self, state: str = "ok") -> None:
        seen = self.log.stat().st_size if self.log.exists() else 0
        self.launch()

        def opened() -> str | None:
            for line in self.log.read_bytes()[seen:].splitlines():
                if b"lanes are open" in line:
                    return str(json.loads(line)["port"])
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            return None

        self.url = f"http://127.0.0.1:{until(opened, 'an open gate')}"
        until(lambda: self.health()["state"] == state, f"a gate that is {state}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process = None
        return code

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(get(f"{self.url}/healthz")[1])
        return found

    def journaled(self) -> int:
        """Passages in the journal's files: without what followed on them, and without sessions."""
        frames = entries_of(self.state / "journal", 100_000)
        return sum(isinstance(unpack_record(f.packed), PassageRecord) for f in frames)

    def entries(self) -> int:
        """All that the journal holds, by its last sequence."""
        return int(self.health()["checks"]["journal"]["facts"]["entries"])

    def is_all_at(self, hub: RunningHub, besides: int = 0) -> bool:
        """Whether the hub holds every entry of the journal, and as many of former ones."""
        return bool(hub.count()["entries"] == besides + self.entries())

    def metric(self, name: str) -> float:
        """Sum of all series of this name."""
        lines = get(f"{self.url}/metrics")[1].decode().splitlines()
        values = [
            float(x.rsplit(" ", 1)[1]) for x in lines if x.split("{")[0].split(" ")[0] == name
        ]
        return sum(values)

    def verdicts_for(self, reason: str) -> int:
        """Count the verdicts whose first reason is this."""
        lines = get(f"{self.url}/metrics")[1].decode().splitlines()
        ours = (x for x in lines if x.startswith("chot_verdicts_total{") and f'"{reason}"' in x)
        return sum(int(float(x.rsplit(" ", 1)[1])) for x in ours)

    def comes_to_answer(self, text: str, reason: str) -> None:
        """Hold one code under the scanner, again and again, until its verdict is this."""

        def answered() -> bool:
            before, seen = self.verdicts(), self.verdicts_for(reason)
            self.scan(f"{text}\r".encode())
            until(lambda: self.verdicts() > before, f"a verdict on {text[:20]}")
            return self.verdicts_for(reason) > seen

        until(answered, f"the answer {reason} to {text[:20]}")

    def verdicts(self) -> int:
        return int(self.metric("chot_verdicts_total"))

    def scan(self, data: bytes) -> None:
        """Hold codes under the scanner: bytes as they come down the cable."""
        _write_all(self.scanner, data)


def _write_all(scanner: SimulatedScanner, data: bytes) -> None:
    import asyncio  # noqa: PLC0415 - the simulator is asynchronous, these tests are not

    asyncio.run(scanner.send_bytes(data))


@contextlib.contextmanager
def running(
    prepared: Path, folder: Path, configuration: BoardConfiguration = WIRED
) -> Iterator[tuple[RunningHub, RunningGate]]:
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    hub = RunningHub(folder)
    try:
        hub.start()
        # By a link: a gate that outlived its test must not open somebody else's terminal.
        with (
            SimulatedScanner(link=folder / "scanner") as scanner,
            SimulatedBoard(time.monotonic_ns, configuration=configuration) as board,
        ):
            gate = RunningGate(folder, hub, scanner, board)
            try:
                gate.start()
                yield hub, gate
            finally:
                gate.kill()
    finally:
        hub.stop(signal.SIGKILL)
