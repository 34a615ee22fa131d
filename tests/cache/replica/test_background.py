"""Background work yields the processor and the medium, and its thread alone does."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cache.replica import background
from cache.replica.background import lower_thread

IOPRIO_GET = {"x86_64": 252, "aarch64": 31, "riscv64": 31}
IDLE = 3


def priorities() -> tuple[int, int]:
    """Return the calling thread's niceness and class of I/O."""
    system = ctypes.CDLL(None).syscall
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), system(
        IOPRIO_GET[platform.machine()], 1, 0
    ) >> 13


@pytest.mark.skipif(platform.machine() not in IOPRIO_GET, reason="another machine's numbers")
def test_a_lowered_thread_is_idle_and_the_others_are_as_they_were() -> None:
    before = priorities()
    with ThreadPoolExecutor(1, initializer=lower_thread) as executor:
        assert executor.submit(priorities).result() == (19, IDLE)
    assert priorities() == before


def test_where_the_system_refuses_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: int) -> None:
        raise PermissionError

    monkeypatch.setattr(background.os, "setpriority", refuse)
    monkeypatch.setattr(background.platform, "machine", lambda: "vax")
    with ThreadPoolExecutor(1, initializer=lower_thread) as executor:
        assert executor.submit(lambda: 5).result() == 5
