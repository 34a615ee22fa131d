"""A network camera is read over TCP within bounds, and nobody learns its password from us."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from scanner.camera.ladder import read_texts
from scanner.camera.luma import PictureLimits, gray_of
from scanner.camera.network import Credentials, NetworkCamera, NetworkTimes
from scanner.camera.port import Renewable
from scanner.errors import CameraError, CameraLostError
from tests.scanner.camera.fake_capture import FakeCapture
from tests.scanner.camera.pictures import scene
from tests.scanner.camera.rtsp_server import RtspServer

IMPATIENT = NetworkTimes(open_s=2.0, read_s=0.3)
ADDRESS = "rtsp://camera.example/stream"


def camera_at(address: str, credentials: Credentials | None = None) -> NetworkCamera:
    ticks = itertools.count()
    return NetworkCamera(address, lambda: next(ticks), credentials=credentials, times=IMPATIENT)


def test_a_code_is_read_from_a_stream_over_tcp() -> None:
    with RtspServer(scene("by the network")) as server:
        camera = camera_at(server.address)
        camera.open()
        frames = [camera.read() for _ in range(5)]
        camera.close()
    assert [frame.sequence for frame in frames] == [0, 1, 2, 3, 4]
    assert read_texts(gray_of(frames[-1])) == ["by the network"]
    assert not any("audio" in request for request in server.requests)


@pytest.mark.parametrize("hang_up", [True, False], ids=["hangs up", "falls silent"])
def test_a_stream_that_ends_is_lost_within_the_bound_and_can_be_opened_anew(
    hang_up: bool,
) -> None:
    with RtspServer(scene("again"), frames=30, hang_up=hang_up) as server:
        camera = camera_at(server.address)
        camera.open()
        began_s = time.monotonic()
        with pytest.raises(CameraLostError, match="no further frame"):
            [camera.read() for _ in range(31)]
        assert time.monotonic() - began_s < 10
        camera.open()
        assert camera.read().sequence == 0
        camera.close()


def test_a_camera_that_never_answers_is_refused_within_the_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        camera = NetworkCamera(
            f"rtsp://127.0.0.1:{silent.getsockname()[1]}/",
            lambda: 0,
            times=NetworkTimes(open_s=0.3),
        )
        began_s = time.monotonic()
        with pytest.raises(CameraError, match="no stream"):
            camera.open()
        assert time.monotonic() - began_s < 10


def test_user_and_password_reach_the_camera_whatever_signs_they_hold() -> None:
    with RtspServer(scene("guarded"), credentials="gate@1:p:a/s?s%20#") as server:
        camera = camera_at(server.address, Credentials("gate@1", "p:a/s?s%20#"))
        camera.open()
        assert camera.read().width_px == 640
        camera.close()


def test_a_password_appears_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    credentials = Credentials("doorman", "open-sesame")
    with RtspServer(scene("guarded"), credentials="doorman:another") as server:
        camera = camera_at(server.address, credentials)
        with pytest.raises(CameraError) as raised:
            camera.open()
        assert not any("sesame" in request for request in server.requests)
    told = "".join(capfd.readouterr()) + str(raised.value) + raised.value.hint + repr(credentials)
    assert "401" in told, "the control: the library tells of it"
    assert "sesame" not in told
    assert "doorman" not in told


def test_an_error_of_the_library_is_not_passed_on_with_the_address_in_it() -> None:
    def failing(address: str, _: Sequence[int]) -> FakeCapture:
        raise cv2.error("cannot open " + address)

    camera = NetworkCamera(
        ADDRESS, lambda: 0, credentials=Credentials("u", "sesame"), open_capture=failing
    )
    with pytest.raises(CameraError) as raised:
        camera.open()
    assert "sesame" not in f"{raised.value!r} {raised.value.__cause__}"
    assert raised.value.__suppress_context__


def test_both_bounds_are_given_to_the_library_and_a_refusal_gives_back() -> None:
    fake = FakeCapture()
    fake.opened = False
    given: list[int] = []

    def open_capture(_: str, parameters: Sequence[int]) -> FakeCapture:
        given.extend(parameters)
        return fake

    camera = NetworkCamera(ADDRESS, lambda: 0, open_capture=open_capture)
    with pytest.raises(CameraError, match="no stream"):
        camera.open()
    pairs = dict(zip(given[::2], given[1::2], strict=True))
    assert pairs[cv2.CAP_PROP_OPEN_TIMEOUT_MSEC] == 5000
    assert pairs[cv2.CAP_PROP_READ_TIMEOUT_MSEC] == 2000
    assert fake.released == 1


def test_frames_that_are_too_large_end_the_stream() -> None:
    fake = FakeCapture()
    fake.frame = np.zeros((200, 200, 3), np.uint8)
    camera = NetworkCamera(
        ADDRESS, lambda: 0, limits=PictureLimits(max_pixels=10_000), open_capture=lambda *_: fake
    )
    camera.open()
    with pytest.raises(CameraLostError, match="200 x 200"):
        camera.read()


def test_a_hung_network_camera_can_be_opened_a_second_time() -> None:
    fakes = [FakeCapture(), FakeCapture()]
    for fake in fakes:
        fake.frame = np.zeros((20, 20, 3), np.uint8)
    opening = iter(fakes)
    first = NetworkCamera(ADDRESS, lambda: 0, open_capture=lambda *_: next(opening))
    assert isinstance(first, Renewable)
    second = first.renewed()
    first.open()
    second.open()
    second.close()
    assert [fake.released for fake in fakes] == [0, 1]
