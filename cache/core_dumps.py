"""A process that leaves no picture of its memory: it holds keys, and who is inside."""

from __future__ import annotations

import ctypes
import resource

_PR_SET_DUMPABLE = 4  # prctl(2)


def forbid_core_dumps() -> bool:
    """Let neither a crash nor a debugger of the same user write this process's memory anywhere.

    RLIMIT_CORE is 0, for what this process starts as well; the process itself is not dumpable
    (prctl(2), PR_SET_DUMPABLE), which also keeps piped core dumps (core(5)) from it, for which no
    limit counts. Return False where the system refuses one of the two; nothing raises.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except (OSError, ValueError, AttributeError):
        return False
