"""A recording loses no frame that fits, and its camera is always given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.camera.backlog import Backlog, Pump
from scanner.camera.port import Encoding, Frame
from scanner.errors import CameraLostError
from tests.scanner.camera.pictures import canvas, gray_frame
from tests.scanner.camera.scripted import Step, StreamedCamera


def a_frame(number: int, size_bytes: int = 10) -> Frame:
    return Frame(bytes(size_bytes), Encoding.MJPEG, 4, 2, number, number)


@given(st.lists(st.one_of(st.none(), st.integers(1, 60)), max_size=40))
def test_frames_come_out_in_order_and_never_more_than_the_bound_waits(
    actions: list[int | None],
) -> None:
    """None takes a frame, a number adds one of so many bytes; a model keeps the same books."""
    backlog, model, dropped = Backlog(100), list[Frame](), 0
    for number, action in enumerate(actions):
        if action is None:
            assert backlog.take(0) is (model.pop(0) if model else None)
            continue
        frame = a_frame(number, action)
        backlog.put(frame)
        if sum(len(each.data) for each in model) + action <= 100:
            model.append(frame)
        else:
            dropped += 1
    assert (len(backlog), backlog.dropped) == (len(model), dropped)


def test_a_closed_backlog_is_emptied_and_then_over() -> None:
    backlog = Backlog(1_000_000)
    backlog.put(gray_frame(canvas()))
    backlog.close()
    backlog.put(gray_frame(canvas()))
    assert not backlog.over
    assert backlog.take(60) is not None
    assert backlog.over
    assert backlog.take(60) is None
    assert backlog.dropped == 0


@pytest.mark.parametrize("error", [None, CameraLostError("gone"), ZeroDivisionError()])
def test_the_pump_ends_with_its_camera_and_says_why(error: Exception | None) -> None:
    def opening() -> Iterator[Step]:
        yield from (a_frame(0), a_frame(1))
        if error is not None:
            yield error

    camera, backlog = StreamedCamera(opening()), Backlog(100)
    camera.open()
    pump = Pump(camera, backlog)
    pump.start()
    taken = [backlog.take(60), backlog.take(60), backlog.take(60)]
    assert [frame and frame.sequence for frame in taken] == [0, 1, None]
    assert pump.stop(60)
    assert pump.failure is error
    assert camera.closed


def test_the_pump_stops_when_told_and_one_that_never_began_too() -> None:
    told = threading.Event()

    def opening() -> Iterator[Step]:
        for number in range(10**9):
            told.set()
            yield a_frame(number)

    camera, backlog = StreamedCamera(opening()), Backlog(100)
    camera.open()
    pump = Pump(camera, backlog)
    pump.start()
    assert told.wait(60)
    assert pump.stop(60)
    assert camera.closed
    camera.open()
    assert Pump(camera, Backlog(1)).stop(60)
    assert camera.closed
