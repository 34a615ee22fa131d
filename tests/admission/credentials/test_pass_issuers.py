"""Protects the trust in passes: a bad entry is left out and named, a bad document is refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import PassKind
from admission.credentials.pass_issuers import (
    FORM,
    MAX_ISSUERS,
    PassIssuer,
    key_id,
    pack_issuers,
    read_issuers,
)
from admission.errors import TrustError
from tests.admission.credentials.passes import KEY, OTHER_KEY

PUBLIC = KEY.public_key()


def _entry(**changes: Any) -> dict[str, Any]:
    return {
        "kid": key_id(PUBLIC),
        "key": PUBLIC.public_bytes_raw(),
        "name": "Sở Y tế",
        "kinds": ["permit"],
    } | changes


def _document(*entries: Any, version: Any = 1) -> bytes:
    form = f"chot-pass-issuers/{version}"
    return bytes(msgpack.packb({"format": form, "entries": list(entries)}))


def test_what_is_packed_reads_back() -> None:
    both = [
        PassIssuer(PUBLIC, "Sở Y tế", frozenset(PassKind)),
        PassIssuer(OTHER_KEY.public_key(), "Công ty A", frozenset({PassKind.VISITOR})),
    ]
    read = read_issuers(pack_issuers(both))
    assert read.refused == ()
    assert [(i.name, i.kinds) for i in read.issuers.values()] == [(i.name, i.kinds) for i in both]
    assert list(read.issuers) == [key_id(issuer.key) for issuer in both]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (5, "kid, key, name"),
        ({}, "kid, key, name"),
        (_entry(more=1), "kid, key, name"),
        (_entry(key=bytes(31)), "32 bytes"),
        (_entry(key="x" * 32), "32 bytes"),
        (_entry(kid=bytes(8)), "key id"),
        (_entry(name=""), "name"),
        (_entry(name="A" * 65), "name"),
        (_entry(name="A\x1b[2J"), "printed"),
        (_entry(kinds=[]), "at least one kind"),
        (_entry(kinds="permit"), "at least one kind"),
        (_entry(kinds=["king"]), "not known"),
        (_entry(kinds=[[]]), "not known"),
        (_entry(), "twice"),
    ],
)
def test_a_bad_entry_is_left_out_and_the_others_stay(entry: Any, reason: str) -> None:
    read = read_issuers(_document(_entry(), entry))
    assert list(read.issuers) == [key_id(PUBLIC)]
    assert [refused.index for refused in read.refused] == [1]
    assert reason in read.refused[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x80",
        _document(version=2),
        _document(version=1)[:-1],
        bytes(msgpack.packb({"format": "chot-pass-issuers/1", "entries": {}})),
        _document(*[0] * (MAX_ISSUERS + 1)),
        _document("x" * FORM.max_bytes),
    ],
    ids=range(9),
)
def test_a_document_that_cannot_be_used_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_issuers(data)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(TrustError):
        read_issuers(data)
