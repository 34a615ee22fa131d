"""The log says what happened in a lane, and nothing about whom."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import msgspec
import pytest

from admission.credential import Credential, CredentialKind, Holder
from admission.incident import LOST
from admission.verdict import Alert, Outcome, Reason, Verdict
from appliance.logs import JsonLines
from appliance.observation import UNBELIEVED, Happening, Scan
from appliance.scan_log import ScanLog
from tests.worlds import a_reading

CODE = "000093029317|NGUYEN VAN AN|1993-01-18|0||"
SCAN = Scan(
    lane="gate-1",
    reading=a_reading(CODE),
    credential=Credential(CredentialKind.PERSONAL_QR, (), Holder("NGUYEN VAN AN")),
    judged=Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,)),
    sequence=12,
    shown=Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,)),
    lit=True,
    stamps_ns=(1, 2, 3, 4),
)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("appliance.scan_log")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield stream
    log.removeHandler(handler)


def test_a_verdict_is_one_line_without_a_person(lines: io.StringIO) -> None:
    ScanLog().scanned(SCAN)
    line = json.loads(lines.getvalue())
    assert line["lane"] == "gate-1"
    assert line["verdict"] == "admit"
    assert line["reason"] == "card_opens"
    assert line["sequence"] == 12
    for personal in ("NGUYEN", "AN", "000093029317", "N*"):
        assert personal not in lines.getvalue().replace('"lane"', "")


def test_failures_and_readings_turned_away_are_said(lines: io.StringIO) -> None:
    log = ScanLog()
    log.turned_away("gate-1")
    log.failed("gate-1", "decide", ValueError(CODE))
    log.repeated("gate-1")
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["level"] for line in said] == ["warning", "error"]
    assert said[1]["step"] == "decide"
    assert "NGUYEN" not in lines.getvalue()


def test_a_verdict_without_reasons_is_said_too(lines: io.StringIO) -> None:
    bare = msgspec.structs.replace(SCAN, shown=Verdict(Outcome.REFER, ()), sequence=None)
    ScanLog().scanned(bare)
    assert json.loads(lines.getvalue())["reason"] == "fault"


def test_alarms_and_what_is_not_believed_are_logged_and_who_passed_is_not(
    lines: io.StringIO,
) -> None:
    log = ScanLog()
    log.happened(Happening("gate-1", "passed", None, 5))
    log.happened(Happening("gate-1", "forced", Alert.FORCED, 6))
    log.happened(Happening("gate-1", UNBELIEVED))
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["level"], line["kind"]) for line in logged] == [
        ("warning", "forced"),
        ("warning", "unbelieved"),
    ]


def test_a_flood_of_what_is_not_listed_singly_does_not_fill_the_log(lines: io.StringIO) -> None:
    log = ScanLog()
    for _ in range(1_000):
        log.happened(Happening("gate-1", "forced", Alert.FORCED))
        log.happened(Happening("gate-1", LOST, count=255))
    log.happened(Happening("gate-2", "forced", Alert.FORCED))
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    forced = [(one["lane"], one["count"]) for one in said if one["kind"] == "forced"]
    assert forced == [*(("gate-1", 1 << bit) for bit in range(10)), ("gate-2", 1)]
    assert len(said) < 40
