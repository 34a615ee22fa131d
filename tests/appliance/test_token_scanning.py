"""A token comes in by the gate's own camera or scanner, and other codes are passed over."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import segno

from admission.enrolment import Token, pack_token, unpack_token
from appliance.camera_table import CameraSourceTable
from appliance.config import Config, parse_config
from appliance.errors import ConfigError
from appliance.serial_table import SerialSourceTable
from appliance.token_scanning import scanned_token
from scanner.serial.simulated import SimulatedScanner
from tests.appliance.test_config import tree

TOKEN = pack_token(
    Token(bytes(range(16)), bytes(32), "https://hub.example.org:8470", "site-1", "100000001234")
)


def configured(source: Any) -> Config:
    config = parse_config(tree(), Path("gate.toml"))
    lane = msgspec.structs.replace(config.lane[0], sources=(source,))
    return msgspec.structs.replace(config, lane=(lane,))


async def scanned(config: Config, wait_s: float = 30.0) -> str:
    return await scanned_token(
        config, monotonic_ns=time.monotonic_ns, rng=random.Random(1), wait_s=wait_s
    )


async def test_a_camera_reads_the_sheet(tmp_path: Path) -> None:
    for number in range(3):
        picture = tmp_path / f"{number}.png"
        segno.make(TOKEN, error="m").save(str(picture), scale=6, border=6)
    config = configured(CameraSourceTable(name="sheet", device=str(tmp_path), fps=50.0))
    assert unpack_token(await scanned(config)).serial == "100000001234"


async def test_a_scanner_reads_it_after_other_codes() -> None:
    with SimulatedScanner() as scanner:
        config = configured(SerialSourceTable(name="hand", port=scanner.path))
        reading = asyncio.create_task(scanned(config))
        while not reading.done():
            await scanner.send("000093029317|NGUYEN VAN AN|1993-01-18|0||")
            await scanner.send(TOKEN)
            await asyncio.wait([reading], timeout=0.1)
        assert reading.result() == TOKEN


async def test_what_is_not_open_is_named(tmp_path: Path) -> None:
    config = configured(SerialSourceTable(name="hand", port=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match="not open: hand") as caught:
        await scanned(config, wait_s=0.05)
    assert "--token-file" in caught.value.hint
