"""The service manager hears what sd_notify(3) specifies, or nothing, and never blocks us."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.notify import Notifier, watchdog_interval_s


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        if request.param == "path":
            address = str(tmp_path / "notify")
            listening.bind(address)
        else:
            address = f"@chot-test-{os.getpid()}"
            listening.bind("\0" + address[1:])
        listening.settimeout(2)
        yield listening, address


def test_each_message_is_one_datagram(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": address})
    assert all([notifier.ready(), notifier.watchdog(), notifier.stopping()])
    assert notifier.status("2 lanes open\nREADY=1")
    heard = [listening.recv(4096) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1", b"STATUS=2 lanes open READY=1"]


def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    assert not Notifier.from_environ({}).ready()
    assert not Notifier(str(tmp_path / "nobody")).watchdog()


def test_a_deaf_manager_does_not_hold_us_up(manager: tuple[socket.socket, str]) -> None:
    _, address = manager
    notifier = Notifier(address)
    told = [notifier.watchdog() for _ in range(5_000)]
    assert told[0]
    assert not told[-1]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "9000000"}, 3.0),
        ({"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "41"}, 3.0),
        ({"WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "42"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_interval(environ: dict[str, str], expected: float | None) -> None:
    assert watchdog_interval_s(environ, pid=41) == expected
