"""No name, number or code that somebody holds up can reach a log line, whichever way it tries."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import AdmissionError
from admission.verdict import Outcome
from appliance.logs import FIELDS, JsonLines, configure_logging, log_loop_exception

NAME = "NGUYỄN VĂN AN"
NUMBER = "000123456789"
PERSONAL = st.sampled_from([NAME, NUMBER, f"{NUMBER}||{NAME}|01011990|Nam", "\ud800" + NAME])


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    written = io.StringIO()
    configure_logging(written)
    yield written
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = raising
    root.handlers[:] = handlers
    root.setLevel(level)


def line_of(record: logging.LogRecord) -> str:
    return JsonLines().format(record)


def record(
    message: str,
    args: tuple[object, ...] = (),
    *,
    error: BaseException | None = None,
    name: str = "appliance.lane",
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.ERROR, "lane.py", 1, message, args, info)


def assert_nobody(line: str) -> None:
    for part in (NAME, "NGUYỄN", NUMBER, "01011990"):
        assert part not in line


@given(PERSONAL)
def test_arguments_are_struck(text: str) -> None:
    assert_nobody(line_of(record("read %s as %r", (text, [text]))))
    assert_nobody(line_of(record("read %d", (text,))))
    assert_nobody(line_of(record("read %(text)s", ({"text": text},))))


@given(PERSONAL)
def test_foreign_exceptions_keep_class_and_place_only(text: str) -> None:
    try:
        try:
            raise KeyError(text)  # noqa: TRY301 - the case itself
        except KeyError as cause:
            msg = f"invalid literal: {text!r}"
            raise ValueError(msg) from cause
    except ValueError as error:
        error.add_note(text)
        line = line_of(record("decide failed", error=error))
    assert_nobody(line)
    told = json.loads(line)["error"]
    assert told["type"] == "ValueError"
    assert told["stack"][-1]["function"] == "test_foreign_exceptions_keep_class_and_place_only"
    assert told["cause"]["type"] == "KeyError"


@given(PERSONAL, st.text(min_size=1).filter(lambda key: key not in FIELDS))
def test_unlisted_fields_are_left_out(text: str, key: str) -> None:
    made = record("done")
    made.__dict__[f"x_{key}"] = text
    assert_nobody(line_of(made))


def test_a_number_of_a_person_is_struck_even_from_a_template_and_a_field() -> None:
    made = record(f"read {NUMBER} and 079 123 456 789")
    made.__dict__["lane"] = NUMBER
    line = line_of(made)
    assert_nobody(line)
    assert "079 123" not in line


def test_whitelisted_fields_and_numbers_stay() -> None:
    made = record("journaled %d entries in %.1f ms", (12, 3.25))
    made.__dict__.update(lane="gate-1", verdict=Outcome.ADMIT, count=3, holder=NAME)
    told = json.loads(line_of(made))
    assert told["message"] == "journaled 12 entries in 3.2 ms"
    assert (told["lane"], told["verdict"], told["count"]) == ("gate-1", "admit", 3)
    assert told["level"] == "error"
    assert "holder" not in told


def test_errors_of_this_house_keep_message_and_hint() -> None:
    error = AdmissionError("rulebook has no table for directive 16", hint="add [table.16]")
    told = json.loads(line_of(record("check failed", error=error)))["error"]
    assert told["message"] == "rulebook has no table for directive 16"
    assert told["hint"] == "add [table.16]"


def test_what_the_loop_reports_is_struck(stream: io.StringIO) -> None:
    async def fail() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(log_loop_exception)
        loop.call_exception_handler({"message": NAME, "exception": ValueError(NAME)})
        loop.default_exception_handler(
            {"message": "never retrieved", "exception": ValueError(NAME), "task": f"<{NAME}>"}
        )

    asyncio.run(fail())
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["error"]["type"] for line in lines] == ["ValueError"] * 2
    assert_nobody(stream.getvalue())


def test_every_record_is_one_line_of_json(stream: io.StringIO) -> None:
    logging.getLogger("scanner").info("two\nlines")
    logging.getLogger("scanner").info("lone surrogate \ud800", extra={"lane": "\udfff"})
    logging.getLogger("scanner").info("too few %s %s", 1)  # noqa: PLE1206 - the case itself
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 3
    assert all(set(line) >= {"time", "level", "message"} for line in lines)


def test_time_is_the_records_own() -> None:
    made = record("x")
    made.created = 1_631_318_400.5
    assert json.loads(line_of(made))["time"] == "2021-09-11T00:00:00.500+00:00"
