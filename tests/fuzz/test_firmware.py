"""Protects the firmware's core from any bytes, contacts and times: memory, arithmetic, promises.

The whole board and the frame decoder run under the address and undefined-behaviour sanitizers,
driven by libFuzzer (by firmware/fuzz/mutator.c where there is no clang), and hold promises that no
input may break (firmware/fuzz/watch.c). CHOT_FUZZ_S and CHOT_FUZZ_SEED as in `test_parsers`; what
brings a fuzzer down is kept under the firmware's build folder and named.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.fuzz.firmware_seeds import write_board_seeds, write_frame_seeds
from tests.worlds import ROOT

FIRMWARE = ROOT / "firmware_bridge" / "firmware"
SHARE = {"fuzz-board": 0.5, "fuzz-frame": 0.1}
"""Of CHOT_FUZZ_S, in processor time."""
SEEDS = {"fuzz-board": write_board_seeds, "fuzz-frame": write_frame_seeds}
WALL_FACTOR = 20
"""On a machine that does other things a fuzzer may take that much longer than its share."""
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


def _seconds() -> float:
    return float(os.environ.get("CHOT_FUZZ_S", "60"))


def _engines() -> list[str]:
    """Return the compilers to fuzz with: clang's libFuzzer finds more, and long runs try both."""
    found = [compiler for compiler in ("clang", "gcc") if shutil.which(compiler)]
    return (found if _seconds() > 60 else found[:1]) or ["clang"]


@pytest.fixture(scope="module", params=_engines())
def engine(request: pytest.FixtureRequest) -> str:
    compiler: str = request.param
    if shutil.which(compiler) is None:
        pytest.skip("no compiler for the fuzzers: apt-get install clang")
    built = subprocess.run(
        ["make", "-C", str(FIRMWARE / "fuzz"), f"ENGINE={compiler}"],
        check=False, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return compiler


@pytest.mark.parametrize("target", sorted(SHARE))
def test_no_input_breaks_a_promise(engine: str, target: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHOT_FUZZ_SEED", "1"))
    corpus = tmp_path / "corpus"
    SEEDS[target](corpus)
    kept = FIRMWARE / "build" / f"fuzz-{engine}" / "found"
    kept.mkdir(parents=True, exist_ok=True)
    program = FIRMWARE / "build" / f"fuzz-{engine}" / target
    budget_s = SHARE[target] * _seconds()
    log = tmp_path / "log"
    command = [
        program, f"-seed={seed}", f"-max_total_time={int(budget_s * WALL_FACTOR)}",
        "-max_len=1024", "-timeout=60", f"-artifact_prefix={kept}/", corpus,
    ]  # fmt: skip
    code = _run(command, budget_s, log)
    said = log.read_text(errors="replace")
    assert code == 0, (
        f"{target} ended with {code} (seed {seed}).\n{said[-4_000:]}\n"
        f"What brought it down is in {kept}: run {program} with that file."
    )


def test_the_seeds_alone_cover_the_gate(engine: str, tmp_path: Path) -> None:
    """Each seed by itself: a promise that one of them breaks needs no luck to be seen."""
    for target, write in SEEDS.items():
        write(tmp_path / target)
        files = sorted(map(str, (tmp_path / target).iterdir()))
        program = FIRMWARE / "build" / f"fuzz-{engine}" / target
        ended = subprocess.run(
            [program, *files], check=False, capture_output=True, timeout=600, cwd=tmp_path
        )
        assert ended.returncode == 0, ended.stderr.decode(errors="replace")[-4_000:]


def _run(command: list[str | Path], budget_s: float, log: Path) -> int:
    """Return the code with which the fuzzer ended: by itself, or told so after its share."""
    with log.open("wb") as output:
        fuzzer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        while fuzzer.poll() is None and _processor_s(fuzzer.pid) < budget_s:
            time.sleep(0.2)
        if fuzzer.poll() is None:
            fuzzer.send_signal(signal.SIGUSR1)
        return fuzzer.wait(60)
    finally:
        fuzzer.kill()
        fuzzer.wait()


def _processor_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
