"""Seeds for the fuzzers of the firmware, from the golden frames (script.h, fuzz_frame.c)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.worlds import ROOT

GOLDEN = ROOT / "tests" / "firmware_bridge" / "golden_frames.json"
_WAIT, _WAIT_LONG, _FRAME, _HELLO, _SHOW, _CONTACTS, _RAW, _OTHER = range(8)
_CONFIRM, _STOP_READING, _READ, _LEAP, _REPEAT, _RESET, _HOLD_ON = range(1, 8)
_NUMBERED, _JUMPER = 1, 1
_GREEN, _GATE, _GATE_B = 0, 4, 5
_PASSAGE_A, _PASSAGE_B, _STOP, _READY = 1 << 2, 1 << 3, 1 << 5, 1 << 6
_AS_IT_COMES = bytes((0, 0))
_ABOUT_TO_WRAP = bytes((0x40, 0x10))
_ALL_FITTED = bytes((0x80, 0, 0x3F, 0x30, 0x7F, 0x20))
"""A start whose configuration follows; before its options: everything fitted, STOP opens."""
_LIMITS = bytes((250, 250, 250, 250, 25, 250, 250, 13, 25, 20, 50))


def write_board_seeds(folder: Path) -> None:
    """Write one file for each course at a board."""
    _write(folder, _courses())


def write_frame_seeds(folder: Path) -> None:
    """Write one file for each golden frame: as bytes, and as content that is sealed there."""
    _write(folder, _pieces())


def _write(folder: Path, seeds: Iterator[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"{number:03}").write_bytes(seed)


def _golden() -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(GOLDEN.read_bytes())
    return golden


def _step(kind: int, argument: int = 0, more: bytes = b"") -> bytes:
    return bytes((kind | argument << 3,)) + more


def _raw(data: bytes) -> bytes:
    pieces = (data[at : at + 32] for at in range(0, len(data), 32))
    return b"".join(_step(_RAW, len(piece) - 1, piece) for piece in pieces)


def _show(output: int, on_20_ms: int, off_20_ms: int = 1, repeats: int = 1) -> bytes:
    gate = output >= _GATE
    return _step(_SHOW, output, bytes((on_20_ms, off_20_ms, *(() if gate else (repeats,)))))


def _contacts(closed: int, *, jumper: bool = False) -> bytes:
    return _step(_CONTACTS, _JUMPER if jumper else 0, bytes((closed,)))


def _courses() -> Iterator[bytes]:
    greeted = _AS_IT_COMES + _step(_HELLO, 3)
    for frame in _golden()["frames"]:
        payload = bytes.fromhex(frame["payload"])
        content = bytes((frame["type"], frame["sequence"], len(payload))) + payload
        jumper = _contacts(0, jumper=True) + _step(_WAIT, 31) * 2
        yield greeted + jumper + _step(_FRAME, _NUMBERED, content) + _step(_WAIT_LONG, 5)
        yield greeted + _raw(bytes.fromhex(frame["hex"])) + _step(_WAIT, 9)
    for rejected in _golden()["rejected"]:
        yield greeted + _raw(b"\0" + bytes.fromhex(rejected["hex"]) + b"\0") + _show(_GREEN, 20)
    for start in (_AS_IT_COMES, _ABOUT_TO_WRAP):
        yield start + _step(_HELLO, 3) + _show(_GATE, 25) + _step(_WAIT_LONG, 9)
        yield start + _step(_HELLO, 3) + _show(_GREEN, 249) + _step(_OTHER, _HOLD_ON) * 2
        yield start + _step(_HELLO, 3) + _show(_GATE, 9) + _step(_OTHER, _REPEAT) * 3
        yield start + _step(_HELLO, 3) + _show(_GATE, 9) + _step(_OTHER, _LEAP) + _step(_WAIT, 9)
    for options in range(8):
        yield from _passages(_ALL_FITTED + bytes((options,)) + _LIMITS)


def _passages(start: bytes) -> Iterator[bytes]:
    """A turnstile's hours: STOP is normally closed, READY has to be there."""
    idle = _STOP | _READY
    greeted = start + _contacts(idle) + _step(_WAIT_LONG, 1) + _step(_HELLO, 3)
    walked = b"".join(
        _contacts(closed) + _step(_WAIT, 31) + _step(_WAIT, 31) + _step(_OTHER, _CONFIRM)
        for closed in (idle | _PASSAGE_A, idle, idle | _PASSAGE_A, idle)
    )
    yield greeted + _show(_GATE, 25) + walked + _step(_WAIT_LONG, 9)
    yield greeted + walked + _show(_GATE_B, 25) + walked
    yield greeted + _show(_GATE, 25) * 6 + _contacts(_READY) + _step(_WAIT_LONG, 5) + walked
    yield greeted + _show(_GATE, 25) + _step(_WAIT_LONG, 31) + _step(_HELLO, 4) + walked
    yield (
        greeted + _step(_OTHER, _STOP_READING) + walked * 3 + _step(_OTHER, _READ)
        + _show(_GATE, 25) + _step(_OTHER, _RESET) + _step(_HELLO, 5) + walked
    )  # fmt: skip


def _pieces() -> Iterator[bytes]:
    golden = _golden()
    for frame in golden["frames"]:
        payload = bytes.fromhex(frame["payload"])
        head = bytes((0x20 | frame["type"], frame["session"] & 0xFF, frame["session"] >> 8, 1))
        yield bytes((0x80 | len(head + payload),)) + head + payload
        data = bytes.fromhex(frame["hex"])
        yield bytes((len(data),)) + data
    for rejected in golden["rejected"]:
        data = b"\0" + bytes.fromhex(rejected["hex"])[:125] + b"\0"
        yield bytes((len(data),)) + data
