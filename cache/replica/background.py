"""Work that must not be felt: a thread that yields the processor and the medium to everybody."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from contextlib import suppress

_IOPRIO_WHO_PROCESS = 1
_IOPRIO_CLASS_IDLE = 3 << 13
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
"""Number of the system call `ioprio_set` for 64-bit programs: the C library does not wrap it."""
_NICEST = 19


def lower_thread() -> None:
    """Give the calling thread the lowest priority and the idle class of I/O.

    The thread keeps both for its life, so it should be one that does such work only: the
    initializer of an executor of its own. Where the system refuses either, nothing changes.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None and sys.maxsize > 1 << 32:
        # 0: the calling thread.
        ctypes.CDLL(None).syscall(number, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_CLASS_IDLE)
