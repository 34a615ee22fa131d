"""`chot bench decode`: what is read, wrong, false and beyond the peers is counted as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.corpus import Photograph
from benchmarks.decode_figures import DecodeFigures, figures_of, peer_figures
from benchmarks.decoders import PEERS, Attempt, By
from benchmarks.machine import this_machine
from tests.benchmarks.corpora import a_corpus
from tests.worlds import chot_data

KNOWN = Photograph(Path("a"), "s/a", "s/near", 1, ("a",), ())
HARD = Photograph(Path("b"), "s/b", "s/near", 1, ("b",), ())
UNKNOWN = Photograph(Path("c"), "s/c", "s/far", 1, (), ())
EMPTY = Photograph(Path("d"), "s/d", "s/none", 0, (), ())
PHOTOGRAPHS = (KNOWN, HARD, UNKNOWN, EMPTY)


def figures(ours: list[Attempt | None], *peers: list[Attempt | None]) -> DecodeFigures:
    return figures_of(
        PHOTOGRAPHS,
        ours,
        0,
        peer_attempts=peers,
        peers=[peer_figures(str(n), PHOTOGRAPHS, peer, 0) for n, peer in enumerate(peers)],
        by=By.WALL,
        machine=this_machine(),
    )


def read(*texts: str, ms: float = 1.0) -> Attempt:
    return Attempt(texts, ms, ms, "half" if texts else "")


def slowly(*texts: str) -> Attempt:
    return Attempt((), 2.0, 2.0, slow_texts=texts, slow_ms=90.0, slow_rung="crop")


def test_both_lanes_count_and_only_the_inline_lane_is_timed() -> None:
    found = figures([read("a"), slowly("b"), read(), read(ms=9.0)])
    assert (found.recall, found.inline_recall, found.slow_read) == (1.0, 0.5, 1)
    assert found.mean_ms == pytest.approx(4 / 3, abs=1e-3)
    assert (found.p95_ms, found.slow_mean_ms, found.negatives_mean_ms) == (2.0, 90.0, 9.0)
    assert (found.inline_rungs, found.slow_rungs) == ({"half": 1}, {"crop": 1})
    assert found.best_peer_recall is None


def test_wrong_false_and_unverified_are_kept_apart() -> None:
    found = figures([read("x"), slowly("b"), read("new"), slowly("ghost")])
    assert (found.wrong, found.false_reads, found.recall) == (1, 1, 0.5)
    assert [(f.photograph, f.text) for f in found.wrong_texts] == [("s/a", "x")]
    assert [(f.photograph, f.text) for f in found.unverified] == [("s/c", "new")]
    assert [(f.photograph, f.text) for f in found.false_texts] == [("s/d", "ghost")]
    assert found.missed == ("s/a",)


def test_beyond_the_peers_is_what_no_peer_of_the_run_reads_and_nobody_knows() -> None:
    ours = [read("a"), read("b"), read("new"), read()]
    nobody = figures(ours, [read("a"), read(), read(), read()])
    assert (nobody.beyond_peers, nobody.beyond_peers_here) == (1, 1)
    assert (nobody.best_peer_recall, nobody.peers_together_recall) == (0.5, 0.5)
    somebody = figures(
        ours,
        [read("a"), read(), read("new"), read()],
        [read(), read("b"), None, read("ghost")],
    )
    assert (somebody.beyond_peers, somebody.beyond_peers_here) == (0, 0)
    assert somebody.peers_together_recall == 1.0
    assert somebody.peers[1].false_reads == 1
    assert somebody.categories["s/near"].read == 2
    assert somebody.categories["s/near"].peers_together == 2
    assert somebody.categories["s/near"].best_peer == 1


def test_a_crash_is_no_reading_and_takes_no_time() -> None:
    found = figures([None, read("b"), read(), read()])
    assert (found.recall, found.mean_ms) == (0.5, 1.0)


def test_a_corpus_measured_as_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(bench, ["decode", "--corpus", str(a_corpus(tmp_path)), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["recall"], found["wrong"], found["false_reads"]) == (0.5, 0, 0)
    assert (found["photographs"], found["readable"], found["negatives"]) == (3, 2, 1)
    assert found["unverified"] == [{"photograph": "shop/new.png", "text": "nobody knows"}]
    assert found["beyond_peers"] == 0, "the peers read it too"
    assert found["best_peer_recall"] == 0.5
    assert {peer["name"] for peer in found["peers"]} == set(PEERS)
    assert found["mean_ms"] > 0
    assert found["p95_ms"] >= found["median_ms"]


def test_a_table_for_people(tmp_path: Path) -> None:
    corpus = str(a_corpus(tmp_path))
    options = ["decode", "--corpus", corpus, "--no-peers", "--by-category", "--cpu-time"]
    result = CliRunner().invoke(bench, options)
    assert result.exit_code == 0, result.output
    assert "50.0%" in result.stdout
    assert "shop/near" in result.stdout
    assert "not verified: shop/new.png: 'nobody knows'" in result.stdout
    assert "zxing-cpp" not in result.stdout


def test_a_set_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    options = ["decode", "--corpus", str(a_corpus(tmp_path)), "--sets", "moon"]
    result = CliRunner().invoke(bench, options)
    assert result.exit_code != 0
    assert "no set moon" in str(result.exception)


@pytest.mark.data
def test_a_set_of_the_open_photographs() -> None:
    corpus = str(chot_data("qr-photos"))
    options = ["decode", "--corpus", corpus, "--sets", "zxing", "--no-peers", "--json"]
    result = CliRunner().invoke(bench, options)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["recall"] >= 0.95
    assert (found["wrong"], found["readable"]) == (0, 74)
