"""The control socket: how commands on the same machine ask the running daemon.

A Unix socket in the state folder, mode 0600, so that the service's user and root may ask. One
question a connection: a msgpack map `{ask, …}`, ended by closing that direction; one answer, a
msgpack map, `{error, hint}` where it cannot be given.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from admission.errors import ChotError, WireError
from admission.wire import unpack_bounded
from appliance.errors import ApplianceError

SOCKET_NAME = "control.sock"
MAX_QUESTION_BYTES = 4_096
MAX_ANSWER_BYTES = 1 << 20
QUESTION_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
MAX_PATH_BYTES = 107
"""Of a Unix socket's address on Linux (unix(7))."""

Answer = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Answers one question; what it raises becomes the error that the asking side gets."""


class NotRunning(ApplianceError):  # noqa: N818 - a state, not a defect
    """No daemon listens in this state folder."""


@asynccontextmanager
async def controlled(state: Path, answers: Mapping[str, Answer]) -> AsyncIterator[None]:
    """Answer questions for the length of a context.

    :param answers: by what is asked for.
    :raises ApplianceError: if the socket cannot be made.
    """
    path = state / SOCKET_NAME
    server = await asyncio.start_unix_server(_served(answers), sock=_bound(path))
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):
            _remove(path)


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove(path)  # of a daemon that was killed: this one holds the journal's lock
        with _address(path) as address:
            # Nobody can connect before the mode is right: bound is not yet listening.
            listener.bind(address)
            path.chmod(0o600)
    except OSError as error:
        listener.close()
        msg = f"{path}: cannot be listened on: {error.strerror}"
        raise ApplianceError(msg, hint="check that state_dir is the service's own") from error
    return listener


def _served(
    answers: Mapping[str, Answer],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(msgspec.msgpack.encode(await _answered(reader, answers)))
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await writer.drain()
        except (OSError, TimeoutError):
            return  # whoever asked has gone
        finally:
            writer.close()

    return serve


async def _answered(reader: asyncio.StreamReader, answers: Mapping[str, Answer]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(QUESTION_TIMEOUT_S):
            question = await _question(reader)
        answer = answers.get(str(question.get("ask")), _unknown)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await answer(question)
    except ChotError as error:
        return {"error": str(error), "hint": error.hint}
    except TimeoutError:
        return {"error": "the daemon did not get to it in time", "hint": "try again"}
    except Exception as error:  # noqa: BLE001 - told to whoever asked; the lanes work on
        return {"error": f"{type(error).__name__} in the daemon", "hint": "report this"}


async def _unknown(_question: Mapping[str, Any]) -> dict[str, Any]:
    raise ApplianceError("the daemon does not know this question", hint="restart it")


async def _question(reader: asyncio.StreamReader) -> dict[str, Any]:
    data = bytearray()
    while chunk := await reader.read(MAX_QUESTION_BYTES):
        data += chunk
        if len(data) > MAX_QUESTION_BYTES:
            raise WireError("the question is too long")
    question = unpack_bounded(bytes(data), MAX_QUESTION_BYTES)
    if not isinstance(question, dict):
        raise WireError("a question is a map")
    return question


def ask(state: Path, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the daemon of this state folder answers. Blocks.

    :raises NotRunning: if none runs.
    :raises ApplianceError: if it may not be asked, refuses, or answers out of bounds.
    """
    path = state / SOCKET_NAME
    try:
        data = _exchanged(path, msgspec.msgpack.encode(dict(question)))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        msg = f"no daemon runs in {state}"
        raise NotRunning(msg) from error
    except OSError as error:
        msg = f"the daemon cannot be asked: {error.strerror or 'it does not answer in time'}"
        raise ApplianceError(msg, hint="run this as the service's user") from error
    try:
        answer = unpack_bounded(data, MAX_ANSWER_BYTES)
    except WireError as error:
        raise ApplianceError("the daemon's answer is none", hint="restart it") from error
    if not isinstance(answer, dict):
        raise ApplianceError("the daemon's answer is none", hint="restart it")
    if "error" in answer:
        raise ApplianceError(str(answer["error"]), hint=str(answer.get("hint", "")))
    return answer


def _exchanged(path: Path, question: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(QUESTION_TIMEOUT_S + ANSWER_TIMEOUT_S)
        with _address(path) as address:
            asking.connect(address)
        asking.sendall(question)
        asking.shutdown(socket.SHUT_WR)
        data = bytearray()
        while chunk := asking.recv(1 << 16):
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                break
    return bytes(data)


def _remove(path: Path) -> None:
    if path.is_socket():
        path.unlink()


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield an address for a socket's path: by its folder's descriptor where it is too long."""
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
