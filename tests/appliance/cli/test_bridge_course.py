"""The course asks for what was shown, opens no gate that is not clear, and believes nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from admission.certlogic_words import Language
from admission.gate import Input
from admission.signal import GATES, Output
from appliance.bridge_tables import McuBridgeTable
from appliance.cli.bridge_answers import Finding, Result
from appliance.cli.bridge_course import Course, Heard
from appliance.cli.bridge_link import bridge_to, linked
from appliance.cli.bridge_targets import Target
from appliance.cli.bridge_terminal import NoTerminal
from firmware_bridge.bridges.simulated import SimulatedBoard
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardEvent, InputEvent
from tests.appliance.cli.bridging import Answers, Technician

LAMPS = {"ADMIT": "g", "REFER": "a", "REFUSE": "r", "OUT OF ORDER": "ar", "ALARM": "ra"}
BEEPS = {"ADMIT": "2", "REFER": "1", "REFUSE": "3", "OUT OF ORDER": "2", "ALARM": "m"}
TOUCHED = {
    "Press the button": Input.BUTTON,
    "Press stop": Input.STOP,
    "side A, or": Input.PASSAGE_A,
}


def who_sees_all_well(line: str) -> str | None:
    """Return what somebody types who sees what there is to be seen."""
    signal, _, question = line.partition(": ")
    if question.startswith("which lamps"):
        return LAMPS[signal]
    if question.startswith("how many"):
        return BEEPS[signal]
    if line.startswith("Gate, side"):
        return "y"
    return None


class Bench:
    """A board, and what was found when somebody walked it through its course."""

    def __init__(
        self, board: SimulatedBoard, answers: Answers = who_sees_all_well, language: Language = "en"
    ) -> None:
        self.board = board
        self.technician = Technician(self._answered)
        self.findings: list[Finding] = []
        self._answers = answers
        self._language: Language = language
        self._heard = Heard()

    async def walk(self, *, gates: bool = True) -> None:
        target = Target("gate-1", McuBridgeTable(port=self.board.path))
        async with linked(bridge_to(target, self._event)) as bridge:
            course = Course(
                bridge, self._heard, self.technician, self._language, pulse_ms=300, gates=gates
            )
            await course.walk(self.findings.append)

    def result(self, what: str) -> Result:
        (finding,) = (finding for finding in self.findings if finding.what == what)
        return finding.result

    def _answered(self, line: str) -> str | None:
        for words, source in TOUCHED.items():
            if words in line and self._answers is not touches_nothing:
                self.board.sense(source, 1)
        return self._answers(line)

    def _event(self, event: BoardEvent) -> None:
        if self._answers is not touches_nothing and isinstance(event, InputEvent) and event.value:
            self.board.sense(event.input, 0)  # let go as soon as it was felt
        self._heard.add(event)


def touches_nothing(line: str) -> str | None:
    return "" if "if nothing is seen here" in line else who_sees_all_well(line)


def a_board(**settings: object) -> SimulatedBoard:
    wiring = {"inputs": frozenset({Input.BUTTON, Input.STOP, Input.PASSAGE_A})} | settings
    configuration = BoardConfiguration(**wiring)  # type: ignore[arg-type]
    return SimulatedBoard(time.monotonic_ns, configuration=configuration)


async def test_a_sound_board_is_seen_to_be_sound() -> None:
    with a_board() as board:
        bench = Bench(board)
        await bench.walk()
        assert {finding.result for finding in bench.findings} == {Result.SEEN}
        assert len(bench.findings) == 10 + 2 + 3
        assert board.energised == frozenset(), "it leaves everything off"
        assert any("button: at rest" in line for line in bench.technician.lived)


async def test_swapped_wires_are_told() -> None:
    def swapped(line: str) -> str | None:
        answer = who_sees_all_well(line)
        return answer.translate(str.maketrans("gr", "rg")) if answer and "lamps" in line else answer

    with a_board() as board:
        bench = Bench(board, swapped)
        await bench.walk()
    assert bench.result("ADMIT: lamps") is Result.OTHERWISE
    assert bench.result("REFER: lamps") is Result.SEEN
    (finding,) = (f for f in bench.findings if f.what == "REFUSE: lamps")
    assert (finding.expected, finding.seen) == ("red", "green")


@pytest.mark.parametrize("answer", ["n", "s"])
async def test_a_gate_that_is_not_clear_stays_shut(answer: str) -> None:
    def not_clear(line: str) -> str | None:
        return answer if "clear of people" in line else who_sees_all_well(line)

    with a_board() as board:
        bench = Bench(board, not_clear)
        await bench.walk()
        assert not any(edge.output in GATES for edge in board.timeline)
    assert bench.result("gate A") is Result.SKIPPED


async def test_the_gate_opens_only_after_it_was_asked_for() -> None:
    opened: list[bool] = []

    def watched(line: str) -> str | None:
        opened.append(any(edge.output in GATES for edge in board.timeline))
        return who_sees_all_well(line)

    with a_board() as board:
        bench = Bench(board, watched)
        await bench.walk()
    asked = next(i for i, line in enumerate(bench.technician.told) if "clear of people" in line)
    assert not any(opened[: asked + 1])
    assert opened[asked + 1]


async def test_without_gates_none_is_asked_for_nor_opened() -> None:
    with a_board() as board:
        bench = Bench(board)
        await bench.walk(gates=False)
        assert not any(edge.output in GATES for edge in board.timeline)
    assert not any("Gate" in line for line in bench.technician.told)


async def test_a_gate_that_the_board_does_not_open_is_no_success() -> None:
    with a_board() as board:
        board.sense(Input.STOP, 1)
        board.reset()  # what is active at its start is no event: nobody here lets go of it
        bench = Bench(board, touches_nothing)
        await bench.walk()
    (finding,) = (f for f in bench.findings if f.what == "gate A")
    assert finding.result is Result.OTHERWISE
    assert "stopped" in finding.seen
    assert any(finding.seen in line for line in bench.technician.told)


async def test_an_input_at_which_nothing_is_seen_is_not_passed_over() -> None:
    with a_board() as board:
        bench = Bench(board, touches_nothing)
        await bench.walk(gates=False)
    assert {bench.result(name) for name in ("button", "stop", "passage A")} == {Result.SKIPPED}


@pytest.mark.parametrize("noise", ["", "what?", "gg!", "-1", "99999"])
async def test_what_is_no_answer_is_asked_again_and_shown_again(noise: str) -> None:
    asked: list[str] = []

    def at_second_sight(line: str) -> str | None:
        asked.append(line)
        return noise if asked.count(line) == 1 else who_sees_all_well(line)

    with a_board(inputs=frozenset()) as board:
        bench = Bench(board, at_second_sight)
        await bench.walk(gates=False)
        shown = [one.signal.name.name for one in board.shown if one.signal.pulses]
    assert {finding.result for finding in bench.findings} == {Result.SEEN}
    assert shown.count("ADMIT") == 4


async def test_only_what_is_fitted_is_asked_for() -> None:
    with a_board(outputs=frozenset({Output.GREEN, Output.RED}), inputs=frozenset()) as board:
        bench = Bench(board, lambda line: "r" if line.startswith(("OUT", "AL")) else "s")
        await bench.walk()
    assert [finding.what for finding in bench.findings] == [
        "ADMIT: lamps",
        "REFUSE: lamps",
        "OUT OF ORDER: lamps",
        "ALARM: lamps",
    ]
    assert bench.result("ALARM: lamps") is Result.SEEN  # its amber lamp is not fitted


async def test_an_end_of_input_leaves_everything_off() -> None:
    def goes_home(line: str) -> str | None:
        return Technician.NO_MORE if line.startswith("REFUSE") else who_sees_all_well(line)

    with a_board() as board:
        bench = Bench(board, goes_home)
        with pytest.raises(NoTerminal):
            await bench.walk()
        assert board.energised == frozenset()
    assert bench.result("REFER: lamps") is Result.SEEN


VIETNAMESE: dict[str, Callable[[str], str | None]] = {
    "đèn nào sáng": lambda line: {"MỜI": "x", "CHỜ": "v", "DỪN": "đ"}.get(line[:3], "vd"),
    "mấy tiếng": lambda line: {"MỜI": "2", "CHỜ": "1", "DỪN": "3", "BÁO": "n"}.get(line[:3], "2"),
    "Cổng phía": lambda _: "c",
}


async def test_it_speaks_vietnamese() -> None:
    def answers(line: str) -> str | None:
        return next((a(line) for words, a in VIETNAMESE.items() if words in line), None)

    with a_board(inputs=frozenset()) as board:
        bench = Bench(board, answers, "vi")
        await bench.walk()
    assert {finding.result for finding in bench.findings} == {Result.SEEN}
