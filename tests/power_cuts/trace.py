"""What strace saw of a process: what it did to the files of a folder, and what it vouched for.

Recorded with `strace -f -y -xx`: every descriptor comes with its path, every string in hex.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

CALLS = (
    "openat,write,pwrite64,fdatasync,fsync,ftruncate,fallocate,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,mkdirat"
)
ACKNOWLEDGED = b"durable "
"""What a line to the null device begins with by which the process vouches for an entry."""


class Created(NamedTuple):
    """A name was given to a new, empty file, or a file was emptied."""

    path: str
    truncated: bool


class Written(NamedTuple):
    """Bytes at an offset: None = at the end of what this descriptor has written."""

    path: str
    offset: int
    data: bytes


class Resized(NamedTuple):
    """A file's length was set; longer ones end in zeros."""

    path: str
    length: int
    shrinks: bool


class Synced(NamedTuple):
    """A file or a folder was made durable: what was done before `begun`, an operation's place."""

    path: str
    begun: int


class Renamed(NamedTuple):
    """A file got another name."""

    source: str
    target: str


class Removed(NamedTuple):
    """A name was removed."""

    path: str


class Vouched(NamedTuple):
    """The process said that an entry is durable."""

    said: bytes


Operation = Created | Written | Resized | Synced | Renamed | Removed | Vouched

_LINE = re.compile(r"^(?:\[pid +)?(\d+)\]? +(.*)$")
_UNFINISHED = re.compile(r"^(.*?)\s*<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(.*)$")
_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<.*>)?(?: .*)?$")
_DESCRIPTOR = re.compile(r"^(\d+)<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def operations(lines: Iterable[str], folder: str) -> list[Operation]:
    """Return what was done under `folder`, in the order in which the calls returned.

    A sync counts for what had been done when it began.
    """
    found: list[Operation] = []
    positions: dict[str, int] = {}
    for begun, call in _calls(lines, found):
        found.extend(_operations_of(call, begun, folder, positions))
    return found


class _Call(NamedTuple):
    name: str
    arguments: str
    result: int


def _calls(lines: Iterable[str], found: list[Operation]) -> Iterator[tuple[int, _Call]]:
    """Yield each call that succeeded, with how much had been found when it began."""
    open_calls: dict[str, tuple[str, int]] = {}
    for line in lines:
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            continue
        thread, text = match[1], match[2]
        begun = len(found)
        if unfinished := _UNFINISHED.match(text):
            open_calls[thread] = (unfinished[1], begun)
            continue
        if resumed := _RESUMED.match(text):
            head, begun = open_calls.pop(thread, ("", begun))
            text = head + resumed[1]
        call = _CALL.match(text)
        if call is not None and int(call[3]) >= 0:
            yield begun, _Call(call[1], call[2], int(call[3]))


def _operations_of(
    call: _Call, begun: int, folder: str, positions: dict[str, int]
) -> Iterator[Operation]:
    if call.name in {"openat", "rename", "renameat", "renameat2", "unlink", "unlinkat"}:
        yield from _of_names(call, folder, positions)
        return
    descriptor = _DESCRIPTOR.match(call.arguments)
    if descriptor is None:
        return
    path = _text(descriptor[2])
    if path == "/dev/null" and call.name == "write":
        data = _strings(call.arguments)[0]
        if data.startswith(ACKNOWLEDGED):
            yield Vouched(data.removeprefix(ACKNOWLEDGED))
    elif path == folder or path.startswith(folder + "/"):
        yield from _of_contents(call, begun, path, descriptor[1], positions)


def _of_contents(
    call: _Call,
    begun: int,
    path: str,
    descriptor: str,
    positions: dict[str, int],
) -> Iterator[Operation]:
    last = call.arguments.rsplit(", ", 1)[-1]
    match call.name:
        case "write":
            at = positions.get(descriptor, 0)
            positions[descriptor] = at + call.result
            yield Written(path, at, _strings(call.arguments)[0][: call.result])
        case "pwrite64":
            yield Written(path, int(last), _strings(call.arguments)[0][: call.result])
        case "fdatasync" | "fsync":
            yield Synced(path, begun)
        case "ftruncate":
            yield Resized(path, int(last), shrinks=True)
        case "fallocate":
            _, mode, offset, length = call.arguments.rsplit(", ", 3)
            if mode == "0":
                yield Resized(path, int(offset) + int(length), shrinks=False)


def _of_names(call: _Call, folder: str, positions: dict[str, int]) -> Iterator[Operation]:
    names = [name.decode() for name in _strings(call.arguments)]
    if not names or not names[0].startswith(folder + "/"):
        return
    if call.name.startswith("rename"):
        yield Renamed(names[0], names[1])
    elif call.name.startswith("unlink"):
        yield Removed(names[0])
    else:
        positions[str(call.result)] = 0
        if "O_CREAT" in call.arguments:
            yield Created(names[0], truncated="O_TRUNC" in call.arguments)


def _strings(arguments: str) -> list[bytes]:
    """Return the quoted strings of a call's arguments."""
    if '"...' in arguments:
        msg = "strace cut a string: record with a larger -s"
        raise ValueError(msg)
    return [bytes.fromhex(text.replace("\\x", "")) for text in _STRING.findall(arguments)]


def _text(shown: str) -> str:
    """Return the path that `-y` shows in hex, or as it is."""
    if "\\x" in shown:
        return bytes.fromhex(shown.replace("\\x", "")).decode()
    return shown


def is_journal(path: str) -> bool:
    """Return whether a file belongs to the journal's folder."""
    return PurePosixPath(path).parent.name == "journal"
