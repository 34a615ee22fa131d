"""The stage of the demonstration: its configuration, its simulated devices, and who feeds them."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Config, parse_config
from appliance.demo.embedded_hub import DEVICE, HubFiles
from firmware_bridge.bridges.simulated import SimulatedBoard
from scanner.serial.simulated import Pacing, SimulatedScanner

CAMERA_LANE = "camera"
SCANNER_LANE = "scanner"
BAUD = 115_200
GAP_S = (0.6, 1.6)
"""Shortest and longest pause between two scans at the simulated scanner."""

RULEBOOK = Path(__file__).resolve().parents[2] / "configs" / "rulebooks" / "hcmc-2021-09.json"


class Devices(msgspec.Struct, frozen=True):
    """Real devices that the user named; None stands for a simulated one."""

    camera: str | None = None
    serial: str | None = None
    board: str | None = None


class Stage(msgspec.Struct, frozen=True):
    """Everything simulated that is plugged in. `scanner` is None where a real one is used."""

    boards: dict[str, str]
    scanner: SimulatedScanner | None
    serial: str


@contextmanager
def stage(devices: Devices, folder: Path, monotonic_ns: Callable[[], int]) -> Iterator[Stage]:
    """Plug in a simulated board a lane, and a simulated scanner by a link in `folder`.

    A real board serves the camera's lane, a real scanner the other. The link goes with the scanner:
    its terminal's own name may be given to somebody else at once.
    """
    with (
        SimulatedBoard(monotonic_ns) as camera_board,
        SimulatedBoard(monotonic_ns) as scanner_board,
        SimulatedScanner(
            aim_identifier="]Q1", pacing=Pacing.at_baud(BAUD), link=folder / "scanner"
        ) as scanner,
    ):
        yield Stage(
            boards={
                CAMERA_LANE: devices.board or camera_board.path,
                SCANNER_LANE: scanner_board.path,
            },
            scanner=None if devices.serial else scanner,
            serial=devices.serial or scanner.path,
        )


def configuration(
    stage: Stage,
    devices: Devices,
    files: HubFiles,
    *,
    hub_url: str,
    kiosk_port: int,
    seed: int,
) -> Config:
    """Return the demonstration's configuration: a control station under Directive 15."""
    folder = files.folder.parent
    camera: dict[str, Any] = (
        {"kind": "camera", "device": devices.camera}
        if devices.camera
        else {"kind": "scenes", "samples": str(files.samples), "seed": seed}
    )
    serial = {"kind": "serial", "port": stage.serial, "baud": BAUD}
    sources = {
        CAMERA_LANE: camera | {"name": "webcam"},
        SCANNER_LANE: serial | {"name": "hand-scanner"},
    }
    tree: dict[str, Any] = {
        "site": {
            "id": "demo-control-station",
            "name": "Chốt kiểm soát số 1",
            "place": "control_station",
            "district": "quan-1",
            "directive": 15,
            "rulebook": str(RULEBOOK),
        },
        "appliance": {"device": DEVICE, "state_dir": str(folder / "state")},
        # The key goes with the demo's folder; and the machine does other things as well.
        "journal": {"remember": "until_reset", "timeout_ms": 2_000},
        "hub": {
            "url": hub_url,
            "poll_s": 2.0,
        },
        # Only people who are drawn are shown without being asked.
        "kiosk": {"port": kiosk_port, "preview": devices.camera is None},
        "lane": [
            {
                "name": name,
                "sources": [source],
                "bridge": {"kind": "mcu", "port": stage.boards[name]},
            }
            for name, source in sources.items()
        ],
    }
    return parse_config(tree, folder / "demo.toml")


async def feed(scanner: SimulatedScanner, texts: list[str], rng: random.Random) -> None:
    """Hold one code after another under the simulated scanner, until cancelled."""
    order = rng.sample(texts, len(texts))
    for text in itertools.cycle(order):
        await asyncio.sleep(rng.uniform(*GAP_S))
        await scanner.send(text)
