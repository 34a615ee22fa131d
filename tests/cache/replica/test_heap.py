"""Giving memory back is a courtesy: where the C library does not know how, nothing happens."""

from __future__ import annotations

import ctypes

import pytest

from cache.replica.heap import trim_heap


class _OtherLibrary:
    def __init__(self, name: str | None) -> None:
        assert name is None


def _no_library(name: str | None) -> object:
    raise OSError(name)


def test_free_memory_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Library(_OtherLibrary):
        malloc_trim = staticmethod(asked.append)

    monkeypatch.setattr(ctypes, "CDLL", Library)
    trim_heap()
    assert asked == [0]


@pytest.mark.parametrize("library", [_OtherLibrary, _no_library])
def test_another_c_library_is_no_error(library: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", library)
    trim_heap()
