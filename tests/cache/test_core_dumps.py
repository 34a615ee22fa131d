"""Protects keys and who is inside from being written to the disk by a crash."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import ctypes, os, resource, signal
from cache.core_dumps import forbid_core_dumps
secret = bytes(range(64)) * 16
limits = resource.getrlimit(resource.RLIMIT_CORE)
assert forbid_core_dumps()
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE
print("forbidden", flush=True)
os.kill(os.getpid(), signal.SIGABRT)
"""


def test_a_process_that_crashes_leaves_no_dump(tmp_path: Path) -> None:
    def as_many_as_allowed() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=30,
        preexec_fn=as_many_as_allowed,
    )
    assert (done.stdout, done.returncode) == (b"forbidden\n", -signal.SIGABRT), done.stderr
    assert list(tmp_path.iterdir()) == []
