"""`chot bench order-rungs`, and the order that is checked in."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.errors import BenchmarkError
from benchmarks.machine import this_machine
from benchmarks.rungs.candidates import CANDIDATES
from benchmarks.rungs.order import load, order_of
from benchmarks.rungs.reads import Reads, RungReads
from scanner.camera.rungs import RUNGS, Rung, read_rung
from tests.benchmarks.corpora import a_corpus
from tests.scanner.camera.pictures import scene

NAMES = [rung.name for rung in RUNGS]


def invoke(corpus: Path, *options: str) -> str:
    arguments = ["order-rungs", "--corpus", str(corpus), *options]
    result = CliRunner().invoke(bench, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_figures_of_an_order() -> None:
    reads = Reads(
        ("1", "2", "3"),
        3,
        (
            RungReads("a", (True, False, False), (1.0, 1.0, 4.0), 0),
            RungReads("b", (True, True, False), (9.0, 9.0, 9.0), 0),
            RungReads("c", (True, False, True), (2.0, 2.0, 2.0), 1),
        ),
    )
    order = order_of(
        reads, [0, 1, 2], at_once=["a"], in_turn=["b"], tried=["c"], machine=this_machine()
    )
    assert order.names == ["a", "b"]
    assert [(s.mean_ms, s.reads, s.new, s.recall) for s in order.steps] == [
        (2.0, 1, 1, 0.3333), (9.0, 2, 1, 0.6667),
    ]  # fmt: skip
    (tried,) = order.tried
    assert (tried.name, tried.reads, tried.new, tried.wrong) == ("c", 2, 1, 1)


def test_an_order_is_learnt_and_written(tmp_path: Path) -> None:
    corpus, target, kept = a_corpus(tmp_path / "in"), tmp_path / "o.json", tmp_path / "r.json"
    output = invoke(corpus, "--no-try", "--write", str(target), "--reads", str(kept))
    order = load(target)
    assert sorted(order.names) == sorted(NAMES)
    assert (order.photographs, order.readable) == (3, 2)
    assert order.steps[-1].recall == 0.5
    assert "unseen" in output
    measured = kept.read_bytes()
    again = tmp_path / "again.json"
    invoke(corpus, "--no-try", "--write", str(again), "--reads", str(kept))
    assert load(again) == order
    assert kept.read_bytes() == measured


def test_reads_of_other_photographs_are_not_taken(tmp_path: Path) -> None:
    kept = tmp_path / "r.json"
    invoke(a_corpus(tmp_path / "in"), "--no-try", "--reads", str(kept))
    with pytest.raises(BenchmarkError, match="other photographs"):
        invoke(a_corpus(tmp_path / "other", name="bank"), "--no-try", "--reads", str(kept))


def test_no_order_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError) as caught:
        load(tmp_path / "none.json")
    assert "make rungs" in caught.value.hint


@pytest.mark.parametrize("rung", CANDIDATES, ids=lambda rung: rung.name)
def test_every_rung_that_is_tried_runs_and_reads_nothing_else(rung: Rung) -> None:
    texts = {sighting.text for sighting in read_rung(rung, scene("tried"))}
    assert texts <= {"tried"}


def test_rungs_have_names_of_their_own() -> None:
    names = [rung.name for rung in (*RUNGS, *CANDIDATES)]
    assert len(set(names)) == len(names)
