"""A decoder that crashes, hangs or raises costs the picture that it fell over, and no other."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable

import pytest

from benchmarks.decoders import Attempt, By, asked_by, attempting
from benchmarks.errors import DecoderMissingError
from benchmarks.isolation import Isolated
from scanner.camera.port import Gray
from tests.scanner.camera.pictures import canvas, scene


def moody(mood: str) -> Callable[[Gray], int]:
    """A decoder that answers a picture's brightness, and falls over dark ones as its mood is."""

    def answer(gray: Gray) -> int:
        level = int(gray[0, 0])
        if level > 100:
            return level
        if mood == "crash":
            os.abort()
        if mood == "hang":
            threading.Event().wait()
        raise ValueError(mood)

    if mood == "absent":
        raise DecoderMissingError("not here", hint="install it")
    if mood == "stillborn":
        os.abort()
    return answer


@pytest.mark.parametrize("mood", ["crash", "hang", "raise"])
def test_the_fall_costs_one_picture(mood: str) -> None:
    with Isolated(moody, mood, limit_s=2.0) as child:
        answers = [child.ask(canvas(64, 64, level)) for level in (200, 10, 150)]
        assert answers == [200, None, 150]
        assert child.crashes == 1
    assert multiprocessing.active_children() == []


def test_what_is_not_installed_says_so_and_leaves_no_child() -> None:
    with pytest.raises(DecoderMissingError, match="not here") as caught, Isolated(moody, "absent"):
        pass
    assert caught.value.hint == "install it"
    with pytest.raises(DecoderMissingError, match="does not start"), Isolated(moody, "stillborn"):
        pass
    assert multiprocessing.active_children() == []


def test_an_interrupt_ends_the_child() -> None:
    with pytest.raises(KeyboardInterrupt), Isolated(moody, "raise"):
        raise KeyboardInterrupt
    assert multiprocessing.active_children() == []


def test_a_peer_reads_in_its_child() -> None:
    with Isolated(attempting, asked_by(By.WALL, "zxing-cpp, QR only")) as child:
        attempt = child.ask(scene("over there"))
    assert isinstance(attempt, Attempt)
    assert attempt.all_texts == ("over there",)
    assert attempt.ms > 0
