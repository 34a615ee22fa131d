"""One presentation per holding up, whichever lane or camera read it, in whatever order."""

from __future__ import annotations

from admission.reading import Reading
from admission.repeat import DEFAULT_REARM_NS, Presentations
from scanner.camera.reader import FrameReader
from scanner.camera.slow_reading import Found
from tests.scanner.camera.pictures import canvas, gray_frame, scene
from tests.scanner.camera.test_reader import EAGER, Lane, Ticking, read_late

FRAME_NS = 33_000_000


class Gate:
    """A camera with a slow lane in the test's hand, and the lane that counts presentations."""

    def __init__(self) -> None:
        self.beside = Lane()
        self.reader = FrameReader("door", Ticking(), attention=EAGER, slow_lane=self.beside)
        self.presentations = Presentations()
        self.begun: list[Reading] = []

    def frame(self, number: int, *, shown: bool, late: Found | None = None) -> None:
        if late is not None:
            self.beside.results.append(late)
        picture = scene("held up") if shown else canvas()
        stamp = number * FRAME_NS
        for reading in self.reader.read(gray_frame(picture, captured_ns=stamp), stamp):
            self.take(reading)

    def take(self, reading: Reading) -> None:
        if self.presentations.begins_presentation(reading.text, reading.captured_ns):
            self.begun.append(reading)


REARM_FRAMES = DEFAULT_REARM_NS // FRAME_NS + 1


def test_a_code_that_is_lost_and_found_again_is_one_presentation() -> None:
    gate = Gate()
    for number in range(120):
        gate.frame(number, shown=number % 7 not in {2, 3, 4})
    assert len(gate.begun) == 1


def test_a_code_that_left_is_a_presentation_when_it_comes_back() -> None:
    gate = Gate()
    for number in range(3):
        gate.frame(number, shown=True)
    for number in range(3, 3 + REARM_FRAMES):
        gate.frame(number, shown=False)
    gate.frame(4 + REARM_FRAMES, shown=True)
    assert [reading.captured_ns for reading in gate.begun] == [0, (4 + REARM_FRAMES) * FRAME_NS]


def test_what_the_slow_lane_read_first_is_not_presented_again_by_the_inline_lane() -> None:
    gate = Gate()
    for number in range(10):
        gate.frame(number, shown=False)
    gate.frame(10, shown=False, late=read_late("held up", 5 * FRAME_NS))
    for number in range(11, 40):
        gate.frame(number, shown=True)
    assert [(r.captured_ns, r.rung) for r in gate.begun] == [(5 * FRAME_NS, "deep")]


def test_what_the_slow_lane_reads_after_the_inline_lane_is_no_presentation() -> None:
    """Frame 0 was too hard, frame 1 was not; what the slow lane makes of frame 0 comes last."""
    gate = Gate()
    gate.frame(0, shown=False)
    gate.frame(1, shown=True)
    for number in range(2, 15):
        gate.frame(number, shown=False)
    gate.frame(15, shown=False, late=read_late("held up", 0))
    assert [reading.captured_ns for reading in gate.begun] == [FRAME_NS]


def test_a_late_reading_does_not_hold_a_presentation_open() -> None:
    """Nobody is ignored for longer than the pause after the code was last in view."""
    gate = Gate()
    gate.frame(1, shown=True)
    gate.frame(14, shown=False, late=read_late("held up", 2 * FRAME_NS))
    back = 3 + REARM_FRAMES
    gate.frame(back, shown=True)
    assert [reading.captured_ns for reading in gate.begun] == [FRAME_NS, back * FRAME_NS]


def test_two_cameras_that_see_one_code_are_one_presentation() -> None:
    gate = Gate()
    other = FrameReader("other", Ticking(), attention=EAGER)
    for number in range(20):
        gate.frame(number, shown=True)
        stamp = number * FRAME_NS - 5_000_000
        for reading in other.read(gray_frame(scene("held up"), captured_ns=stamp), number):
            gate.take(reading)
    assert len(gate.begun) == 1
