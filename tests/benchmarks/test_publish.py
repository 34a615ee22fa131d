"""The publisher's benchmark protects that it measures a real build, and a change that arrives."""

from pathlib import Path

from benchmarks.publish import measure


def test_a_small_hub_gives_every_figure(tmp_path: Path) -> None:
    told: list[str] = []
    figures = measure(
        tmp_path, people=2_000, numbers=2, progress=lambda step, share=0.0: told.append(step)
    )
    assert (figures.people, figures.numbers_each) == (2_000, 2)
    assert figures.change_ms > 0
    assert figures.build_s > 0
    assert 13 < figures.bytes_per_person < 60
    assert figures.bytes_per_further_number is not None
    assert figures.peak_mib > 10
    assert told[-1] == "building the release"
