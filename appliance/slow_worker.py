"""The slow lane's worker: a process that reads what the inline lane could not.

Started by `appliance.decoding`, with the symbologies and the folder of WeChat's models (or an empty
argument) on its command line; jobs come and answers go as `scanner.camera.slow_process` says.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import cv2

from admission.reading import Symbology
from appliance.clock import SystemClock
from scanner.camera.deep import slow_reader
from scanner.camera.slow_process import serve
from scanner.camera.symbologies import Wanted

NICENESS = 10
"""It gives way to whatever has a person waiting."""


def main() -> None:
    """Serve until standard input ends."""
    with suppress(OSError):  # the unit's sandbox forbids it: then all are equal
        os.nice(NICENESS)
    cv2.setNumThreads(1)
    models, *symbologies = sys.argv[1:]
    reader = slow_reader(
        SystemClock().monotonic_ns,
        Wanted(Symbology(each) for each in symbologies),
        wechat_models=Path(models) if models else None,
    )
    serve(sys.stdin.buffer, sys.stdout.buffer, reader)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # noqa: BLE001 - the process's edge
        # The kind alone: a message could quote what somebody's code says.
        sys.exit(f"the slow lane's worker ended: {type(error).__name__}")
