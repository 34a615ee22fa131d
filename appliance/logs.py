"""Logs as JSON lines on standard error, built so that nobody's data can get in.

A string reaches a line by four ways only: the message's template (written by a programmer), a
field on the whitelist (named by the configuration or an enum), the class and place of an exception,
and the message of an error of this house (whose contract is to name no person). Everything else,
arguments and foreign exceptions' messages first of all, is replaced by the name of its type: they
quote what was held up to the camera. Of foreign loggers' messages the first line stays, without
what it quotes. What looks like a number of a person is struck out of all of it.
"""

from __future__ import annotations

import logging
import re
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TextIO

import msgspec

FIELDS = frozenset(
    {
        "attempt", "bytes", "check", "count", "delay_s", "device", "entries", "errno", "kind",
        "lane", "pending", "port", "reason", "seconds", "sequence", "site", "source", "stage",
        "state", "status", "step", "verdict", "version",
    }
)  # fmt: skip
"""What `extra=` may carry: numbers, truth values, enums, and names from the configuration."""

Plain = str | int | float | bool | None

HOUSE = frozenset({"admission", "appliance", "cache", "firmware_bridge", "hub", "scanner"})
"""Packages whose templates and errors name no person."""

MAX_TEXT_LENGTH = 300
MAX_FRAMES = 30
MAX_CAUSES = 5
STRUCK = "‹struck›"
_PERSONAL_NUMBER = re.compile(r"\d(?:[\s.-]?\d){7,}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|<[^>]*>")

_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line.

    Keys: `time` (RFC 3339, UTC), `level`, `logger`, `message`, whitelisted fields, `why` (words of
    this house that are too long for a field: whoever passes them answers for them), and for an
    exception `error`: `type`, `message` and `hint` where it is of this house, `stack` innermost
    last, `cause`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        line |= {key: _field(value) for key, value in record.__dict__.items() if key in FIELDS}
        if type(why := record.__dict__.get("why")) is str:
            line["why"] = _cleaned(why)
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = error_object(record.exc_info[1])
        return msgspec.json.encode(line).decode()


def configure_logging(stream: TextIO, level: int = logging.INFO) -> None:
    """Send every logger's records to `stream` as JSON lines, warnings of Python included."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # what logging prints of its own failures quotes the arguments


def log_loop_exception(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what a loop's task or callback raised; give it to `loop.set_exception_handler`.

    The loop's own handler prints the representation of tasks and exceptions, data and all.
    """
    del loop
    _log.error("the loop met an exception nobody handled", exc_info=context.get("exception"))


def error_object(error: BaseException, depth: int = 0) -> dict[str, object]:
    """Return an exception as it may be logged: where and of which class, never what it quotes."""
    found: dict[str, object] = {"type": type(error).__name__}
    if type(error).__module__.partition(".")[0] in HOUSE:
        found["message"] = _cleaned(str(error))
        found["hint"] = _cleaned(getattr(error, "hint", ""))
    if isinstance(error, OSError) and error.errno is not None:
        found["errno"] = error.errno
    found["stack"] = [
        {"file": frame.filename, "line": frame.lineno, "function": frame.name}
        for frame in traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    ]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < MAX_CAUSES:
        found["cause"] = error_object(cause, depth + 1)
    return found


def _message(record: logging.LogRecord) -> str:
    template = str(record.msg)
    if record.args:
        # A struck argument may not fit its %d: then the template alone says enough.
        with suppress(TypeError, ValueError, KeyError, OverflowError):
            template %= _arguments(record.args)
    if record.name.partition(".")[0] not in HOUSE:
        template = _QUOTED.sub(STRUCK, template.partition("\n")[0])
    return _cleaned(template)


def _arguments(args: tuple[object, ...] | Mapping[str, object]) -> object:
    if isinstance(args, Mapping):
        return {key: _argument(value) for key, value in args.items()}
    return tuple(_argument(value) for value in args)


def _argument(value: object) -> Plain:
    if isinstance(value, Enum):
        return _cleaned(str(value.value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"‹{type(value).__name__}›"


def _field(value: object) -> Plain:
    return _cleaned(value)[:64] if type(value) is str else _argument(value)


def _cleaned(text: str) -> str:
    sound = text[:MAX_TEXT_LENGTH].encode("utf-8", "replace").decode()
    return _PERSONAL_NUMBER.sub(STRUCK, sound)
