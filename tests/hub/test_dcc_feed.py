"""Protects the reading of EU material: every usual form of a file, each failure by itself."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.dcc_signers import signer_of
from admission.errors import TrustError
from admission.identity import Identifier, IdentifierKind
from hub import dcc_feed
from hub.dcc_feed import (
    batches_in,
    certificates_in,
    files_of,
    read_batch,
    read_bounded,
    signers_in,
)
from tests.admission.credentials import dcc_codes as codes

ONE = codes.certificate(codes.P256)
TWO = codes.certificate(codes.RSA, codes.TEST)
NOW_S = int(codes.NOW.timestamp())
HASH = bytes(range(16))


def pem(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def text(der: bytes) -> str:
    return base64.b64encode(der).decode("ascii")


def gateway(*certificates: bytes, kind: str = "DSC") -> list[dict[str, Any]]:
    return [
        {"kid": "AAAAAAAAAAA=", "country": "VN", "certificateType": kind, "rawData": text(der)}
        for der in certificates
    ]


def batch(**changes: Any) -> bytes:
    fields = {
        "country": "DE",
        "expires": "2022-09-20T00:00:00Z",
        "kid": "UNKNOWN_KID",
        "hashType": "SIGNATURE",
        "entries": [{"hash": text(HASH)}],
        **changes,
    }
    return msgspec.json.encode({key: value for key, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ONE, [ONE]),
        (pem(ONE), [ONE]),
        (b"subject=VN\n" + pem(ONE) + b"\r\n" + pem(TWO), [ONE, TWO]),
        (msgspec.json.encode(gateway(ONE, TWO)), [ONE, TWO]),
        (msgspec.json.encode({"certificates": gateway(ONE)}), [ONE]),
        (msgspec.json.encode([text(ONE), text(TWO)]), [ONE, TWO]),
        (msgspec.json.encode({"keys": [{"kid": "a", "x5c": [text(ONE)]}]}), [ONE]),
        (msgspec.json.encode([*gateway(ONE), *gateway(TWO, kind="CSCA")]), [ONE]),
        (msgspec.json.encode([text(ONE).rstrip("=").replace("+", "-").replace("/", "_")]), [ONE]),
    ],
)
def test_certificates_are_found_in_every_usual_file(data: bytes, expected: list[bytes]) -> None:
    assert certificates_in(data) == expected


@pytest.mark.parametrize(
    "data", [b"", b"text", b"{}", b"[]", b"[1]", b'["\xc3\xa4"]', b"[" * 50_000, b'["a"]']
)
def test_a_file_without_certificates_is_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        certificates_in(data)


def test_one_bad_certificate_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "1.der").write_bytes(ONE)
    (tmp_path / "2.pem").write_bytes(pem(b"\x30\x03no!") + pem(TWO))
    (tmp_path / "deep" / "3.json").write_bytes(msgspec.json.encode(gateway(ONE)))
    (tmp_path / "4.der").write_bytes(b"damaged")
    (tmp_path / "notes.txt").write_text("not looked at")
    files = files_of([tmp_path], dcc_feed.CERTIFICATE_SUFFIXES)
    signers, refusals = signers_in([*files, tmp_path / "gone.der"])
    assert signers == [signer_of(ONE), signer_of(TWO)]
    assert [refusal.source.removeprefix(str(tmp_path)) for refusal in refusals] == [
        "/2.pem, certificate 1",
        "/4.der",
        "/gone.der",
    ]


def test_files_without_end_or_number_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrustError, match="no file"):
        files_of([tmp_path], dcc_feed.BATCH_SUFFIXES)
    (tmp_path / "a.json").write_bytes(b"x" * 11)
    with pytest.raises(TrustError, match="longer"):
        read_bounded(tmp_path / "a.json", 10)
    monkeypatch.setattr(dcc_feed, "MAX_FILES", 0)
    with pytest.raises(TrustError, match="more than"):
        files_of([tmp_path], dcc_feed.BATCH_SUFFIXES)


@pytest.mark.parametrize(
    ("hash_type", "kind"),
    [
        ("SIGNATURE", IdentifierKind.DCC_SIGNATURE),
        ("UCI", IdentifierKind.DCC_UCI),
        ("COUNTRYCODEUCI", IdentifierKind.DCC_COUNTRY_UCI),
    ],
)
def test_a_batch_becomes_rows_of_its_kind(hash_type: str, kind: IdentifierKind) -> None:
    found = read_batch(batch(hashType=hash_type))
    assert found.rows == (Identifier(kind, HASH.hex()),)
    assert found.country == "DE"
    assert found.expires_s == int(datetime(2022, 9, 20, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x80cms",
        b"[" * 50_000,
        batch(country=None),
        batch(expires="soon"),
        batch(hashType="NAME"),
        batch(entries=None),
        batch(entries=[{"hash": "?"}]),
        batch(entries=[{"hash": text(HASH[:15])}]),
        batch(entries=[{"hash": text(HASH)}] * 1_001),
    ],
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_batch(data)


def test_expired_and_damaged_batches_are_named_and_stop_no_other(tmp_path: Path) -> None:
    files = []
    for name, data in {
        "good": batch(),
        "old": batch(expires="2021-09-19T00:00:00Z"),
        "bad": b"?",
    }.items():
        files.append(tmp_path / f"{name}.json")
        files[-1].write_bytes(data)
    found, refusals = batches_in(files, NOW_S)
    assert len(found) == 1
    assert [(Path(r.source).stem, r.reason[:8]) for r in refusals] == [
        ("old", "expired"),
        ("bad", "no batch"),
    ]


@given(st.binary(max_size=60) | st.binary(max_size=20).map(pem))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (certificates_in, read_batch):
        try:
            read(data)
        except TrustError:
            continue
