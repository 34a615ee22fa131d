"""The demonstration over its real paths: what was read was journaled and acknowledged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.running import until

DEMO = [sys.executable, "-m", "appliance", "demo", "--json", "--port", "0", "--people", "2000"]
KEYS = {
    "readings", "verdicts", "reasons", "journaled", "acknowledged", "reading_to_light_ms",
    "frames_dropped", "seed",
}  # fmt: skip


def test_counts_match_and_standard_output_is_one_json_object(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--for", "8", "--seed", "11", "--keep", str(tmp_path / "kept")],
        capture_output=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    summary = json.loads(done.stdout)
    assert summary.keys() >= KEYS
    assert summary["seed"] == 11
    assert summary["readings"] == sum(summary["verdicts"].values()) > 3
    assert summary["readings"] == summary["journaled"] == summary["acknowledged"]
    assert summary["reading_to_light_ms"]["p50"] <= summary["reading_to_light_ms"]["p99"]
    assert summary["failures"] == {}
    for secret in (
        "hub/keys/ca.key",
        "state/device.key",
        "state/identity/device.key",
        "state/identity/hash.key",
    ):
        assert (tmp_path / "kept" / secret).stat().st_mode & 0o077 == 0


def begin(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*DEMO, "--for", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"TMPDIR": str(folder), "PATH": ""},
    )  # fmt: skip


def bytes_in(folder: Path, pattern: str) -> int:
    """Return how many bytes were written; space that is set aside is zeros up to the end."""
    return sum(len(path.read_bytes().rstrip(b"\0")) for path in folder.glob(pattern))


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_it_ends_clean_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with begin(tmp_path) as demo:
        # An empty journal's file holds its header only.
        until(lambda: bytes_in(tmp_path, "*/state/journal/*.journal") > 500, "a first entry", 60)
        demo.send_signal(number)
        out, err = demo.communicate(timeout=20)
    assert (demo.returncode, err) == (0, b"")
    summary = json.loads(out)
    assert 0 < summary["readings"] == summary["journaled"] == summary["acknowledged"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_clean_while_it_prepares(tmp_path: Path, number: signal.Signals) -> None:
    with begin(tmp_path) as demo:
        until(lambda: list(tmp_path.glob("*/hub")), "a hub in the making", 60)
        demo.send_signal(number)
        out, err = demo.communicate(timeout=20)
    assert (demo.returncode, out) == (1, b"")
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_and_a_missing_camera_are_refused(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    for extra, named in (
        (["--keep", str(tmp_path)], "not empty"),
        (["--camera", "/dev/video99"], "is not there"),
    ):
        done = subprocess.run([*DEMO, *extra], capture_output=True, timeout=30, check=False)
        assert done.returncode == 1
        assert named in done.stderr.decode()
        assert "→" in done.stderr.decode()
        assert done.stdout == b""
