"""Protects the schemes of rotating codes: read in one way only, and their secrets shown nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.rotating_pattern import Pattern
from admission.credentials.rotating_scheme import (
    MAX_DOCUMENT_BYTES,
    Scheme,
    SchemeTable,
    read_schemes,
    schemes_document,
)
from admission.errors import TrustError

SECRET = "00112233445566778899aabbccddeeff" * 2
STAMPED = Scheme(SchemeTable("wallet", SECRET))


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{id}:{totp_value_0}",
        "A{totp_value_0}",
        "A{id}:{id}{totp_value_0}",
        "A{id}{totp_value_0}",
        "A{id}-{totp_value_0}",
        "A{totp_timestamp_seconds}{totp_value_0}:{id}",
        "A{totp_timestamp_seconds}0:{totp_value_0}:{id}",
        "A{totp_timestamp_seconds}:{totp_timestamp_millis}:{totp_value_0}:{id}",
        "A{id}:{totp_value_1}",
        "A{id}:{totp_value_0}{totp_value_0}",
        "A{id}:{totp_value_0}{other}",
        "A{id}:{totp_value_0}{",
        "A}{id}:{totp_value_0}",
        "A\\{id}:{totp_value_0}",
        "Ã{id}:{totp_value_0}",
        "A" * 256 + "{id}:{totp_value_0}",
    ],
)
def test_a_pattern_that_could_be_read_in_two_ways_is_refused(pattern: str) -> None:
    with pytest.raises(TrustError, match="the pattern") as caught:
        Pattern(pattern, (8,))
    assert "docs/codes.md" in caught.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": ""},
        {"secret": "zz" * 32},
        {"secret": "00" * 31},
        {"digits": (6,)},
        {"digits": ()},
        {"digits": (8,) * 5},
        {"period_ms": 999},
        {"period_ms": 60_001},
        {"window_ms": 600_001},
        {"ahead_ms": -1},
        {"period_ms": 1_000, "window_ms": 63_000},
    ],
)
def test_a_scheme_that_cannot_be_used_is_refused_without_quoting_its_secret(
    wrong: dict[str, object],
) -> None:
    table = SchemeTable(**({"name": "wallet", "secret": SECRET} | wrong))  # type: ignore[arg-type]
    with pytest.raises(TrustError) as caught:
        Scheme(table)
    assert not table.secret or table.secret not in str(caught.value)


def test_a_document_reads_back_and_shows_no_secret() -> None:
    (scheme,) = read_schemes(schemes_document((STAMPED.table,)))
    assert scheme.table == STAMPED.table
    assert SECRET not in repr(scheme) + repr(scheme.table) + repr((scheme,))


@given(st.binary(max_size=80) | st.recursive(st.none(), st.lists).map(json.dumps).map(str.encode))
def test_any_document_at_all_is_read_or_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_schemes(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"schemes": []}',
        b'{"schemes": [], "more": 1}',
        b"[" * 10_000,
        b" " * (MAX_DOCUMENT_BYTES + 1),
        schemes_document((STAMPED.table,)).replace(b'"secret"', b'"key"'),
        json.dumps({"schemes": [{"name": "a", "secret": SECRET}] * 2}).encode(),
    ],
)
def test_a_document_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(TrustError) as caught:
        read_schemes(data)
    assert "rotating secret" in caught.value.hint
