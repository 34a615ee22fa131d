"""Protects: every output ends by itself, at the right moment, and none exceeds its longest time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.signal import ADMIT, GATES, MAX_ON_MS, MAX_SIGNAL_MS, REFUSE, Output, Pulse, Signal
from firmware_bridge.link.outputs import REST_MS, Edge, Outputs
from tests.admission.signals import signals
from tests.firmware_bridge.cables import MS


def run_out(outputs: Outputs, until_ms: int) -> list[Edge]:
    edges: list[Edge] = []
    while (due_ns := outputs.next_change_ns) is not None and due_ns <= until_ms * MS:
        edges += outputs.advance(due_ns)
    return edges


def of(edges: list[Edge], output: Output) -> list[tuple[bool, float]]:
    return [(edge.energised, edge.at_ns / MS) for edge in edges if edge.output is output]


def longest_on_ns(edges: list[Edge], output: Output) -> int:
    stamps = [edge.at_ns for edge in edges if edge.output is output]
    return max((off - on for on, off in zip(stamps[::2], stamps[1::2], strict=True)), default=0)


def test_admit_edge_by_edge() -> None:
    outputs = Outputs()
    edges = outputs.run(ADMIT.pulses, 0) + run_out(outputs, 20_000)
    assert of(edges, Output.GREEN) == [(True, 0), (False, 1_500)]
    assert of(edges, Output.BUZZER) == [(True, 0), (False, 80), (True, 160), (False, 240)]
    assert of(edges, Output.GATE) == [], "gates follow the gate cycle, not the pattern"
    assert outputs.next_change_ns is None


@settings(max_examples=40)
@given(signals)
def test_every_signal_ends_by_itself(signal: Signal) -> None:
    outputs = Outputs()
    edges = outputs.run(signal.pulses, 0) + run_out(outputs, MAX_SIGNAL_MS)
    assert outputs.energised == frozenset()
    assert outputs.next_change_ns is None
    for output in Output:
        assert longest_on_ns(edges, output) <= MAX_ON_MS * MS


@settings(max_examples=40)
@given(signals)
def test_pulses_are_the_ones_asked_for(signal: Signal) -> None:
    outputs = Outputs((MAX_SIGNAL_MS + 1,) * len(Output))
    edges = outputs.run(signal.pulses, 0) + run_out(outputs, MAX_SIGNAL_MS)
    for pulse in signal.pulses:
        if pulse.output in GATES:
            assert of(edges, pulse.output) == []
            continue
        period = pulse.on_ms + pulse.off_ms
        starts = [i * period for i in range(pulse.count)]
        expected = [edge for s in starts for edge in ((True, s), (False, s + pulse.on_ms))]
        if pulse.off_ms == 0:
            expected = [(True, 0), (False, pulse.length_ms)]
        assert of(edges, pulse.output) == expected


Asked = Signal | tuple[Output, bool]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            signals | st.tuples(st.sampled_from(sorted(GATES)), st.booleans()),
            st.integers(0, 6_000),
        ),
        max_size=12,
    ),
    st.tuples(*[st.integers(20, MAX_ON_MS)] * len(Output)),
)
def test_whatever_is_asked_no_output_exceeds_its_own_longest_time(
    calls: list[tuple[Asked, int]], max_on_ms: tuple[int, ...]
) -> None:
    outputs = Outputs(max_on_ms)
    edges: list[Edge] = []
    at_ms = 0
    for asked, gap_ms in calls:
        if isinstance(asked, Signal):
            edges += outputs.run(asked.pulses, at_ms * MS)
        else:
            edges += outputs.hold(asked[0], asked[1], at_ms * MS)
        edges += run_out(outputs, at_ms + gap_ms)
        at_ms += gap_ms
    edges += outputs.clear(at_ms * MS)
    assert outputs.energised == frozenset()
    assert outputs.next_change_ns is None
    for output in Output:
        stamps = [edge.at_ns for edge in edges if edge.output is output]
        assert most_on_ns(stamps) <= max_on_ms[output] * MS


def most_on_ns(stamps: list[int]) -> int:
    """Return the longest time on, shorter pauses than a rest not taken for any."""
    most_ns = sum_ns = 0
    last_off_ns = -REST_MS * MS
    for on, off in zip(stamps[::2], stamps[1::2], strict=True):
        sum_ns = off - on if on - last_off_ns >= REST_MS * MS else sum_ns + off - on
        most_ns, last_off_ns = max(most_ns, sum_ns), off
    return most_ns


def test_a_host_that_switches_off_for_a_moment_does_not_get_around_the_longest_time() -> None:
    """No relay drops in a millisecond."""
    outputs = Outputs()
    edges: list[Edge] = []
    for at_ms in range(0, 12_000, 500):
        edges += outputs.hold(Output.GATE, True, at_ms * MS)
        edges += run_out(outputs, at_ms + 499)
        edges += outputs.hold(Output.GATE, False, (at_ms + 499) * MS)
    gate = of(edges, Output.GATE)
    lit = [off - on for (_, on), (_, off) in zip(gate[::2], gate[1::2], strict=True)]
    assert sum(lit[:10]) == 10 * 499
    assert (lit[10], gate[21][1], gate[22][1]) == (10, 5_010, 5_110)


def test_a_host_that_repeats_forever_is_cut_and_let_on_again_after_a_rest() -> None:
    outputs = Outputs()
    edges: list[Edge] = []
    for at_ms in range(0, 12_000, 400):
        edges += outputs.run([Pulse(Output.BUZZER, 500)], at_ms * MS)
        edges += run_out(outputs, at_ms + 400)
    edges += run_out(outputs, 30_000)
    buzzer = of(edges, Output.BUZZER)
    assert buzzer[:3] == [(True, 0), (False, MAX_ON_MS), (True, MAX_ON_MS + REST_MS)]
    assert buzzer[-1][0] is False


def test_a_gate_that_is_held_forever_is_cut_as_well() -> None:
    outputs = Outputs((5_000,) * 4 + (3_000, 2_000))
    edges = outputs.hold(Output.GATE, True, 0) + outputs.hold(Output.GATE_B, True, 0)
    edges += run_out(outputs, 4_000)
    assert of(edges, Output.GATE) == [(True, 0), (False, 3_000), (True, 3_100)]
    assert of(edges, Output.GATE_B) == [(True, 0), (False, 2_000), (True, 2_100)]


def test_pulses_without_a_pause_count_as_one() -> None:
    outputs = Outputs()
    edges = outputs.run([Pulse(Output.RED, 5_000, 0, 2)], 0) + run_out(outputs, 20_000)
    assert of(edges, Output.RED) == [(True, 0), (False, 5_000), (True, 5_100), (False, 10_000)]


def test_a_newer_signal_takes_the_place_at_once() -> None:
    outputs = Outputs()
    outputs.run(ADMIT.pulses, 0)
    edges = outputs.run(REFUSE.pulses, 50 * MS)
    assert outputs.energised == {Output.RED, Output.BUZZER}
    assert {(e.output, e.energised) for e in edges} == {
        (Output.GREEN, False),
        (Output.RED, True),
    }


def test_a_late_board_swallows_no_pulse_and_stamps_when_it_acted() -> None:
    outputs = Outputs()
    outputs.run(ADMIT.pulses, 0)
    edges = outputs.advance(10_000 * MS)
    assert of(edges, Output.BUZZER) == [(False, 10_000), (True, 10_000), (False, 10_000)]


def test_clearing_late_starts_nothing_on_the_way() -> None:
    outputs = Outputs()
    outputs.run(ADMIT.pulses, 0)
    assert not [edge for edge in outputs.clear(10_000 * MS) if edge.energised]
    assert outputs.energised == frozenset()
