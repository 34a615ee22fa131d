"""A board's own serial number comes first; a machine's id never leaves the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from admission.enrolment import is_serial
from appliance.hardware_serial import hardware_serial

MACHINE_ID = b"8f4a1c2b3d4e5f60718293a4b5c6d7e8\n"


def serial(tmp_path: Path, board: bytes | None, machine: bytes | None) -> str:
    for name, data in (("board", board), ("machine", machine)):
        if data is not None:
            (tmp_path / name).write_bytes(data)
    return hardware_serial(tmp_path / "board", tmp_path / "machine")


def test_a_raspberry_pi_says_its_own(tmp_path: Path) -> None:
    assert serial(tmp_path, b"10000000abcdef01\x00", MACHINE_ID) == "10000000abcdef01"


def test_elsewhere_it_is_made_of_the_machine_s_id_and_hides_it(tmp_path: Path) -> None:
    made = serial(tmp_path, None, MACHINE_ID)
    assert made == "7e726aaea7564752a649b4bee952fe99", (
        "a device that is enrolled keeps it from release to release"
    )
    assert is_serial(made)
    assert made[12] == "4", "a UUID of version 4, as systemd makes it"
    (tmp_path / "machine").write_bytes(MACHINE_ID.replace(b"8f", b"9f"))
    assert serial(tmp_path, None, None) != made


@pytest.mark.parametrize("machine", [None, b"", b"uninitialized\n", b"ab" * 99, b"\xff\xfe"])
@pytest.mark.parametrize("board", [None, b"", b"\x00", b"a b\x00", b"\xff"])
def test_where_nothing_tells_it_is_empty(
    tmp_path: Path, board: bytes | None, machine: bytes | None
) -> None:
    assert serial(tmp_path, board, machine) == ""
