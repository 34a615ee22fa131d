"""Protects the way from a release's documents to their reader: newest first, one at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping

import pytest

from appliance.documents import Documents

OLD, NEW, NEWEST = {"orders": b"old"}, {"orders": b"new"}, {"orders": b"newest"}


class Reader:
    """Waits in its thread for leave to go on, and fails on what it is told to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.taken: list[Mapping[str, bytes]] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self.begun = asyncio.Event()
        self.unwelcome: Mapping[str, bytes] = {}
        self._loop = loop

    def take(self, documents: Mapping[str, bytes]) -> None:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go_on.wait(20)
        self.threads.add(threading.get_ident())
        self.taken.append(documents)
        if documents == self.unwelcome:
            raise ValueError("no such orders")

    async def has_begun(self) -> None:
        await asyncio.wait_for(self.begun.wait(), 20)
        self.begun.clear()


@pytest.fixture
async def reader() -> Reader:
    return Reader(asyncio.get_running_loop())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the loop's turns are what it waits for
            await asyncio.sleep(0)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_newest_is_read_off_the_loop_and_what_is_overtaken_is_not(reader: Reader) -> None:
    documents = Documents()
    task = asyncio.create_task(documents.hand_to(reader.take))
    documents.replace(OLD)
    await reader.has_begun()
    documents.replace(NEW)
    documents.replace(NEWEST)
    assert documents.by_name == NEWEST
    reader.go_on.set()
    await until(lambda: len(reader.taken) == 2)
    await ended(task)
    assert reader.taken == [OLD, NEWEST]
    assert threading.get_ident() not in reader.threads


async def test_what_is_the_same_is_not_read_again(reader: Reader) -> None:
    documents = Documents()
    reader.go_on.set()
    documents.replace(OLD)
    task = asyncio.create_task(documents.hand_to(reader.take))
    await reader.has_begun()
    documents.replace(dict(OLD))
    documents.replace(NEW)
    await until(lambda: len(reader.taken) == 2)
    await ended(task)
    assert reader.taken == [OLD, NEW]


async def test_a_defect_of_the_reader_is_told_and_the_next_documents_are_read(
    reader: Reader,
) -> None:
    documents = Documents()
    reader.unwelcome = OLD
    reader.go_on.set()
    documents.replace(OLD)
    task = asyncio.create_task(documents.hand_to(reader.take))
    await reader.has_begun()
    await until(lambda: bool(documents.error))
    assert documents.error == "ValueError: no such orders"
    documents.replace(NEW)
    await until(lambda: not documents.error)
    await until(lambda: len(reader.taken) == 2)
    await ended(task)


def test_nobody_can_change_the_documents_in_force() -> None:
    documents = Documents()
    given = dict(OLD)
    documents.replace(given)
    given["orders"] = b"others"
    assert documents.by_name == OLD
    with pytest.raises(TypeError):
        documents.by_name["orders"] = b"others"  # type: ignore[index]
