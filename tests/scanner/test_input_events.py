"""Input devices: taken whole or refused with what to do, and read event by event."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import KeypadError
from scanner.input_events import (
    EVENT,
    READ_BYTES,
    EventCutter,
    InputEvent,
    is_keyboard,
    open_keyboard,
)

VERSION, GRAB = 0x80044501, 0x40044590
events = st.tuples(
    st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(-(2**31), 2**31 - 1)
).map(lambda event: InputEvent(*event))


@settings(deadline=None)
@given(st.lists(events, max_size=12), st.data())
def test_events_come_out_as_they_went_in_however_they_are_cut(
    wanted: list[InputEvent], data: st.DataObject
) -> None:
    stream = b"".join(EVENT.pack(5, 7, *event) for event in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    cutter = EventCutter()
    assert wanted == [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in cutter.events(stream[start:end])
    ]
    assert len(cutter._part) < EVENT.size


@pytest.fixture
def device(tmp_path: Path) -> str:
    """A pipe with a name, in the place of a device: what is written to it is read from it."""
    os.mkfifo(tmp_path / "event-kbd")
    return str(tmp_path / "event-kbd")


def failing(request: int, number: int) -> Callable[[int, int, object], int]:
    def ioctl(_descriptor: int, asked: int, _argument: object) -> int:
        if asked == request:
            raise OSError(number, os.strerror(number))
        return 0

    return ioctl


def test_a_device_is_taken_and_its_lamps_set(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, object]] = []
    monkeypatch.setattr(
        "scanner.input_events.fcntl.ioctl", lambda _, request, value: asked.append((request, value))
    )
    keyboard = open_keyboard(device)
    assert asked == [(VERSION, bytes(4)), (GRAB, 1)]
    lamps = EventCutter().events(keyboard.read())
    assert lamps == [InputEvent(0x11, lamp, int(lamp == 0)) for lamp in range(3)]
    assert keyboard.read() == b""
    keyboard.close()


@pytest.mark.parametrize(
    ("request_number", "number", "advice"),
    [
        (VERSION, errno.ENOTTY, "name an input device"),
        (GRAB, errno.EBUSY, "stop it first"),
        (GRAB, errno.ENODEV, "plug it in"),
    ],
)
def test_a_device_that_cannot_be_taken_is_given_back_and_said(
    device: str, monkeypatch: pytest.MonkeyPatch, request_number: int, number: int, advice: str
) -> None:
    monkeypatch.setattr("scanner.input_events.fcntl.ioctl", failing(request_number, number))
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(KeypadError, match="cannot be taken") as caught:
        open_keyboard(device)
    assert advice in caught.value.hint
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_without_permission_the_group_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("scanner.input_events.os.open", refuse)
    with pytest.raises(KeypadError, match="Permission denied") as caught:
        open_keyboard("/dev/input/event3")
    assert "group input" in caught.value.hint


@pytest.mark.parametrize("name", ["/dev/null", "/etc/passwd", "/", "/dev/none-such"])
def test_what_is_no_keyboard_is_refused_with_a_hint(name: str) -> None:
    with pytest.raises(KeypadError) as caught:
        open_keyboard(name)
    assert name in str(caught.value)
    assert "input" in caught.value.hint


def test_no_more_is_read_at_once_than_others_can_wait_for(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.input_events.fcntl.ioctl", lambda *_: 0)
    keyboard = open_keyboard(device)
    descriptor = os.open(device, os.O_WRONLY | os.O_NONBLOCK)
    os.write(descriptor, bytes(2 * READ_BYTES))
    assert len(keyboard.read()) == READ_BYTES
    os.close(descriptor)
    keyboard.close()


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        # As the kernel writes them: a keyboard, a mouse, volume keys, nothing, and nonsense.
        ("1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe", True),
        ("70000 0 0 0 0", False),
        ("483ffff17aff32d bfd4444600000000 1 130c730b17c000 267bfad9415fed 10000002", False),
        ("", True),
        ("what", True),
    ],
)  # fmt: skip
def test_the_one_of_a_scanner_s_devices_that_types(
    tmp_path: Path, capabilities: str, expected: bool
) -> None:
    keys = tmp_path / "event3" / "device" / "capabilities" / "key"
    keys.parent.mkdir(parents=True)
    keys.write_text(capabilities + "\n")
    (tmp_path / "usb-Scanner-event-kbd").symlink_to("/dev/input/event3")
    assert is_keyboard(str(tmp_path / "usb-Scanner-event-kbd"), tmp_path) is expected
    assert is_keyboard("/dev/input/event4", tmp_path)
