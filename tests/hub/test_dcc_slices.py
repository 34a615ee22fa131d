"""Protects the reading of slices from strangers' archives: bounded, by hash, never by name."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.dcc_bloom import write_bloom_filter
from admission.credentials.dcc_revocations import (
    Mode,
    SliceEntry,
    SliceType,
    read_revocations,
    write_revocations,
)
from admission.errors import TrustError
from admission.identity import Identifier, IdentifierKind
from hub import dcc_slices
from hub.dcc_slices import listed_keys, lists_in, slices_in_archive
from tests.admission.credentials import dcc_codes as codes

KEY_ID = b"\xfb\xff\xfe\x01\x02\x03\x04\x05"
KID = base64.b64encode(KEY_ID).decode("ascii")
NOW_S = int(codes.NOW.timestamp())
NS = 1_000_000_000
LATER, BEFORE = "2022-09-20T00:00:00Z", "2021-09-19T00:00:00Z"
HASH = hashlib.sha256(b"revoked").digest()[:16]
SLICE = write_bloom_filter([HASH])
SID = hashlib.sha256(SLICE).hexdigest()


def archive(*members: tuple[str, bytes], **changes: Any) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            for attribute, value in changes.items():
                setattr(info, attribute, value)
            tar.addfile(info, io.BytesIO(body))
    return file.getvalue()


GOOD = archive((f"kid/p/c/{SID}", SLICE))


def folder_of(
    root: Path, mode: str = "POINT", *, archives: tuple[bytes, ...] = (GOOD,), **partition: Any
) -> Path:
    """Write what the service answers about one key into a folder."""
    path = HASH.hex()
    listed = {LATER: {"type": "BLOOMFILTER", "version": "1.0", "hash": SID}}
    places: dict[str, dict[str, Any]] = {
        "POINT": {"id": None, "x": None, "y": None, "chunks": {path[0]: listed}},
        "VECTOR": {"x": path[0], "chunks": {path[1]: listed}},
        "COORDINATE": {"x": path[0], "y": path[1], "chunks": {path[2]: listed}},
    }
    keys = [{"kid": KID, "mode": mode, "hashTypes": ["UCI"], "expires": LATER}]
    below = root / KID.replace("+", "-").replace("/", "_")
    below.mkdir()
    (root / "lists.json").write_bytes(msgspec.json.encode(keys))
    content = [{**places[mode], **partition}]
    (below / "partitions.json").write_bytes(msgspec.json.encode(content))
    for number, data in enumerate(archives):
        (below / f"{number}.tar.gz").write_bytes(data)
    return root


@pytest.mark.parametrize("mode", Mode)
def test_what_the_service_hands_out_is_found_at_the_gate(tmp_path: Path, mode: Mode) -> None:
    folder = folder_of(tmp_path, mode)
    lists, refusals = lists_in(folder, listed_keys(folder), NOW_S)
    assert refusals == []
    assert lists[0].slices == (
        SliceEntry(
            HASH.hex()[: len(lists[0].slices[0].path)], SliceType.BLOOM_FILTER, 1_663_632_000, SLICE
        ),
    )
    revocations = read_revocations(write_revocations(lists))
    revoked = (Identifier(IdentifierKind.DCC_UCI, HASH.hex()),)
    assert revocations.holds(KEY_ID, revoked, NOW_S * NS)
    assert not revocations.holds(bytes(8), revoked, NOW_S * NS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"archives": ()}, "no archive holds it"),
        ({"archives": (b"damaged",)}, "no gzip archive"),
        ({"chunks": {"gg": {LATER: {"type": "BLOOMFILTER", "hash": SID}}}}, "its place"),
        ({"chunks": {"0": {LATER: {"type": "VARHASHLIST", "hash": SID}}}}, "list of hashes"),
        ({"chunks": {"0": {LATER: {"type": "CUCKOO", "hash": SID}}}}, "partitions.json"),
        ({"chunks": {"0": {"soon": {"type": "BLOOMFILTER", "hash": SID}}}}, "partitions.json"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = folder_of(tmp_path, **changes)
    lists, refusals = lists_in(folder, listed_keys(folder), NOW_S)
    assert not any(found.slices for found in lists)
    assert any(reason in refusal.reason for refusal in refusals)


def test_expired_slices_are_left_out_and_a_hash_may_be_base64(tmp_path: Path) -> None:
    encoded = base64.urlsafe_b64encode(bytes.fromhex(SID)).decode().rstrip("=")
    listed = {
        BEFORE: {"type": "BLOOMFILTER", "hash": SID},
        LATER: {"type": "BLOOMFILTER", "hash": encoded},
    }
    folder = folder_of(tmp_path, chunks={HASH.hex()[0]: listed})
    lists, refusals = lists_in(folder, listed_keys(folder), NOW_S)
    assert (len(lists[0].slices), refusals) == (1, [])


def test_revocations_of_an_unknown_key_are_of_every_key(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "-__-AQIDBAU=").rename(tmp_path / "UNKNOWN_KID")
    unknown = msgspec.structs.replace(listed_keys(folder)[0], kid="UNKNOWN_KID")
    lists, refusals = lists_in(folder, [unknown], NOW_S)
    assert refusals == []
    revoked = (Identifier(IdentifierKind.DCC_UCI, HASH.hex()),)
    for key_id in (KEY_ID, b""):
        assert read_revocations(write_revocations(lists)).holds(key_id, revoked, NOW_S * NS)


def test_a_bad_key_stops_no_other(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    good = listed_keys(folder)[0]
    bad = [msgspec.structs.replace(good, kid=kid) for kid in ("?", "AAAA", "AAAAAAAAAAA=")]
    lists, refusals = lists_in(folder, [*bad, good], NOW_S)
    assert len(lists) == 1
    assert len(refusals) == 3


@pytest.mark.parametrize("content", [None, b"", b"{}", b'[{"kid": 1}]', b"[" * 50_000])
def test_a_folder_without_lists_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "lists.json").write_bytes(content)
    with pytest.raises(TrustError) as refusal:
        listed_keys(tmp_path)
    assert refusal.value.hint


def test_names_are_no_paths() -> None:
    hostile = archive((f"../../../../etc/{SID}", SLICE), (f"/root/{SID}", SLICE), (SID, SLICE))
    assert slices_in_archive(hostile) == {SID: SLICE}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        GOOD[:-20],
        gzip.compress(b"no tar" * 200, mtime=0),
        archive(("kid/other", SLICE)),
        archive((f"kid/{SID}", SLICE + b"x")),
        archive((SID, b""), type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        archive((SID, b""), type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        archive((SID, b""), type=tarfile.CHRTYPE),
        archive((SID, SLICE), type=tarfile.GNUTYPE_SPARSE),
        archive((SID, SLICE), pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": "99999999"}),
    ],
)
def test_hostile_archives_are_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        slices_in_archive(data)


def test_an_archive_is_bounded_in_size_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    many = archive((f"a/{SID}", SLICE), (f"b/{SID}", SLICE))
    monkeypatch.setattr(dcc_slices, "MAX_MEMBERS", 1)
    with pytest.raises(TrustError, match="too many"):
        slices_in_archive(many)
    monkeypatch.undo()
    monkeypatch.setattr(dcc_slices, "MAX_INFLATED_BYTES", 10_000)
    with pytest.raises(TrustError, match="inflates beyond"):
        slices_in_archive(gzip.compress(bytes(20_000_000)))
    monkeypatch.undo()
    monkeypatch.setattr(dcc_slices, "MAX_SLICE_BYTES", len(SLICE) - 1)
    with pytest.raises(TrustError, match="something else"):
        slices_in_archive(GOOD)


TAR = gzip.decompress(GOOD)


@given(st.integers(0, 700), st.binary(max_size=6))
def test_no_damaged_archive_raises_anything_else(at: int, damage: bytes) -> None:
    damaged = TAR[:at] + damage + TAR[at + len(damage) :]
    try:
        found = slices_in_archive(gzip.compress(damaged, 1))
    except TrustError:
        return
    assert found in ({}, {SID: SLICE})
