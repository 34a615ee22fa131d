"""The plug-ins' process: loads the plug-ins that its command line names, and asks them.

It holds none of the appliance's files, threads or secrets in memory. What a plug-in prints goes
nowhere; how much memory and time it may take is limited here, and by the gate that waits.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import entry_points
from typing import BinaryIO

from admission.credential import Credential
from appliance.credential_plugins.wire import (
    GROUP,
    LENGTH_BYTES,
    MAX_REQUEST_BYTES,
    Message,
    Request,
    Step,
    claim_of,
    declared_kinds,
    pack,
    unpack_request,
)
from cache.core_dumps import forbid_core_dumps

NICENESS = 10
MEMORY_BYTES = 512 << 20
CPU_S = 600
"""Of a whole process: more than many hours of asking need. It ends one that is busy for nothing."""
OPEN_FILES = 64
LOAD_LIMIT_S = 20.0
PARSE_LIMIT_S = 2.0
"""The gate has killed the process long before. This is for the case that the gate is gone."""

Parser = Callable[[str, bytes], Credential | None]


def main() -> None:
    """Serve until the gate closes its end."""
    requests, answers = _own_pipes()
    _limit()
    forbid_core_dumps()
    parsers = {name: parser for name in sys.argv[1:] if (parser := _load(name, answers))}
    _send(answers, Message(Step.READY))
    while length := requests.read(LENGTH_BYTES):
        size = int.from_bytes(length, "big")
        if size > MAX_REQUEST_BYTES:
            raise ValueError("a request is oversized")
        request = unpack_request(requests.read(size))
        signal.setitimer(signal.ITIMER_REAL, PARSE_LIMIT_S)
        answer = _answer(parsers[request.plugin], request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, answer)


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the gate's pipes for this module; standard input and output lead nowhere from now on."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return requests, answers


def _limit() -> None:
    with suppress(OSError):  # the unit's sandbox forbids it: then all are equal
        os.nice(NICENESS)
    for which, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower limit is in force already
            resource.setrlimit(which, (most, most))


def _load(name: str, answers: BinaryIO) -> Parser | None:
    """Return a plug-in's function, or None if it cannot be loaded; tell the gate before and after.

    The message before tells whose fault it is if this process does not live to send the other.
    """
    _send(answers, Message(Step.LOADING, plugin=name))
    signal.setitimer(signal.ITIMER_REAL, LOAD_LIMIT_S)
    try:
        (entry_point, *_) = entry_points(group=GROUP, name=name)
        parser: Parser = entry_point.load()
        kinds = declared_kinds(parser)
        if not callable(parser):
            raise TypeError("a plug-in is a function")  # noqa: TRY301 - one edge for all of it
    except BaseException:  # noqa: BLE001 - others' code, SystemExit included
        _send(answers, Message(Step.UNLOADABLE, plugin=name))
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _send(answers, Message(Step.LOADED, plugin=name, kinds=kinds))
    return parser


def _answer(parser: Parser, request: Request) -> Message:
    try:
        credential = parser(request.text, request.payload)
        if credential is None:
            return Message(Step.NOTHING, request.number)
        return Message(Step.FOUND, request.number, claim=claim_of(credential))
    except BaseException:  # noqa: BLE001 - others' code, SystemExit included
        return Message(Step.FAULT, request.number)


def _send(answers: BinaryIO, message: Message) -> None:
    data = pack(message)
    answers.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    answers.flush()


if __name__ == "__main__":
    main()
