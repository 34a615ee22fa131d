"""The control socket protects that commands get an answer or a reason, and nobody else gets in."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance.control import MAX_QUESTION_BYTES, SOCKET_NAME, NotRunning, ask, controlled
from appliance.errors import ApplianceError


async def echo(question: Mapping[str, Any]) -> dict[str, Any]:
    return {"said": question["word"]}


async def refuse(question: Mapping[str, Any]) -> dict[str, Any]:
    raise ApplianceError("not today", hint="come back")


async def fail(question: Mapping[str, Any]) -> dict[str, Any]:
    return {"never": 1 // 0}


ANSWERS = {"echo": echo, "refuse": refuse, "fail": fail}


async def test_a_question_gets_its_answer(tmp_path: Path) -> None:
    async with controlled(tmp_path, ANSWERS):
        answer = await asyncio.to_thread(ask, tmp_path, {"ask": "echo", "word": "chốt"})
    assert answer == {"said": "chốt"}


async def test_only_the_owner_may_connect_and_nothing_is_left_behind(tmp_path: Path) -> None:
    async with controlled(tmp_path, ANSWERS):
        assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600
    assert not (tmp_path / SOCKET_NAME).exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [("refuse", "not today"), ("fail", "ZeroDivisionError"), ("dance", "does not know")],
)
async def test_what_cannot_be_answered_says_why(tmp_path: Path, asked: str, message: str) -> None:
    async with controlled(tmp_path, ANSWERS):
        with pytest.raises(ApplianceError, match=message):
            await asyncio.to_thread(ask, tmp_path, {"ask": asked})


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x81" * 100])
async def test_what_is_no_question_is_refused(tmp_path: Path, data: bytes) -> None:
    def send() -> bytes:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(tmp_path / SOCKET_NAME))
            asking.sendall(data)
            asking.shutdown(socket.SHUT_WR)
            return asking.recv(4096)

    async with controlled(tmp_path, ANSWERS):
        assert b"error" in await asyncio.to_thread(send)
        assert await asyncio.to_thread(ask, tmp_path, {"ask": "echo", "word": 1}) == {"said": 1}


async def test_a_question_without_end_is_cut_off(tmp_path: Path) -> None:
    async with controlled(tmp_path, ANSWERS):
        with pytest.raises(ApplianceError):
            await asyncio.to_thread(
                ask, tmp_path, {"ask": "echo", "word": "x" * (2 * MAX_QUESTION_BYTES)}
            )


def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        ask(tmp_path, {"ask": "echo"})


async def test_a_socket_that_a_killed_daemon_left_is_replaced(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / SOCKET_NAME))
    stale.close()
    with pytest.raises(NotRunning):
        ask(tmp_path, {"ask": "echo"})
    async with controlled(tmp_path, ANSWERS):
        assert await asyncio.to_thread(ask, tmp_path, {"ask": "echo", "word": 1}) == {"said": 1}


async def test_a_folder_whose_name_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    async with controlled(deep, ANSWERS):
        assert await asyncio.to_thread(ask, deep, {"ask": "echo", "word": 1}) == {"said": 1}
