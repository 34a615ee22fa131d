"""Protects the look-up of revoked certificates in slices: the right one, unexpired, in any mode."""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import dcc_revocations
from admission.credentials.dcc_bloom import write_bloom_filter
from admission.credentials.dcc_revocations import (
    NOTHING_REVOKED,
    PATH_LENGTH,
    HashType,
    Mode,
    RevocationList,
    SliceEntry,
    SliceType,
    read_revocations,
    write_revocations,
)
from admission.errors import TrustError
from admission.identity import Identifier, IdentifierKind
from tests.admission.credentials.test_dcc_bloom import prefix_list

KEY_ID, OTHER = b"\x01" * 8, b"\x02" * 8
NS = 1_000_000_000
NOW_NS, EXPIRES_S = 1_632_000_000 * NS, 1_640_000_000
HASHES = [hashlib.sha256(bytes((n,))).digest()[:16] for n in range(64)]
REVOKED, SOUND = HASHES[:32], HASHES[32:]


def named(element: bytes, kind: IdentifierKind = IdentifierKind.DCC_UCI) -> tuple[Identifier, ...]:
    return (Identifier(IdentifierKind.CERTIFICATE, "URN"), Identifier(kind, element.hex()))


def slices(
    mode: Mode, slice_type: SliceType = SliceType.BLOOM_FILTER, expires_s: int = EXPIRES_S
) -> tuple[SliceEntry, ...]:
    by_path: dict[str, list[bytes]] = {}
    for element in REVOKED:
        by_path.setdefault(element.hex()[: PATH_LENGTH[mode]], []).append(element)
    return tuple(
        SliceEntry(
            path,
            slice_type,
            expires_s,
            write_bloom_filter(elements)
            if slice_type is SliceType.BLOOM_FILTER
            else prefix_list(5, *(element[:5] for element in elements)),
        )
        for path, elements in by_path.items()
    )


def a_list(mode: Mode = Mode.POINT, **changes: Any) -> RevocationList:
    fields = {
        "key_id": KEY_ID,
        "mode": mode,
        "hash_types": (HashType.UCI, HashType.SIGNATURE),
        "slices": slices(mode),
        **changes,
    }
    return RevocationList(**fields)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("slice_type", SliceType)
def test_every_revoked_hash_is_found_and_no_other(mode: Mode, slice_type: SliceType) -> None:
    found = read_revocations(write_revocations([a_list(mode, slices=slices(mode, slice_type))]))
    assert (len(found), found.refused) == (1, ())
    assert all(found.holds(KEY_ID, named(element), NOW_NS) for element in REVOKED)
    assert not any(found.holds(KEY_ID, named(element), NOW_NS) for element in SOUND)


def test_a_hash_counts_under_its_key_its_type_and_before_its_expiry_only() -> None:
    found = read_revocations(write_revocations([a_list()]))
    element = REVOKED[0]
    assert found.holds(KEY_ID, named(element), NOW_NS)
    assert found.holds(KEY_ID, named(element, IdentifierKind.DCC_SIGNATURE), NOW_NS)
    assert not found.holds(KEY_ID, named(element, IdentifierKind.DCC_COUNTRY_UCI), NOW_NS)
    assert not found.holds(OTHER, named(element), NOW_NS)
    assert not found.holds(KEY_ID, named(element)[:1], NOW_NS)
    assert not found.holds(KEY_ID, named(b"short"), NOW_NS)
    assert found.holds(KEY_ID, named(element), EXPIRES_S * NS - 1)
    assert not found.holds(KEY_ID, named(element), EXPIRES_S * NS)
    assert not NOTHING_REVOKED.holds(KEY_ID, named(element), NOW_NS)


def test_every_unexpired_slice_of_a_path_is_looked_into() -> None:
    old = slices(Mode.POINT, expires_s=1)
    both = (*old, *slices(Mode.POINT))
    assert read_revocations(write_revocations([a_list(slices=both)])).holds(
        KEY_ID, named(REVOKED[0]), NOW_NS
    )
    assert not read_revocations(write_revocations([a_list(slices=old)])).holds(
        KEY_ID, named(REVOKED[0]), NOW_NS
    )


def test_the_same_lists_always_make_the_same_document() -> None:
    one, two = a_list(), a_list(Mode.VECTOR, key_id=OTHER)
    turned = a_list(slices=tuple(reversed(one.slices)))
    assert write_revocations([one, two]) == write_revocations([two, turned])


def document(*lists: Any, version: Any = 1) -> bytes:
    form = f"chot-dcc-revocations/{version}"
    packed: bytes = msgpack.packb({"format": form, "entries": list(lists)})
    return packed


GOOD = [KEY_ID, "POINT", ["UCI"], [["0", "BLOOMFILTER", EXPIRES_S, write_bloom_filter(HASHES)]]]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        [b"short", *GOOD[1:]],
        [KEY_ID, "LINE", *GOOD[2:]],
        [KEY_ID, "POINT", ["NAME"], []],
        [KEY_ID, "POINT", ["UCI"], [["0", "BLOOMFILTER", "x", b""]]],
    ],
)
def test_a_bad_list_is_left_out_and_named(bad: Any) -> None:
    found = read_revocations(document(bad, GOOD))
    assert len(found) == 1
    (refused,) = found.refused
    assert refused.startswith("list 0: ")


@pytest.mark.parametrize(
    "bad",
    [
        ["00", "BLOOMFILTER", EXPIRES_S, GOOD[3][0][3]],  # type: ignore[index]
        ["G", "BLOOMFILTER", EXPIRES_S, GOOD[3][0][3]],  # type: ignore[index]
        ["0", "BLOOMFILTER", -1, GOOD[3][0][3]],  # type: ignore[index]
        ["0", "BLOOMFILTER", EXPIRES_S, b"none"],
        ["0", "VARHASHLIST", EXPIRES_S, b"none"],
    ],
)
def test_a_bad_slice_is_left_out_and_named(bad: Any) -> None:
    found = read_revocations(document([*GOOD[:3], [bad, *GOOD[3]]]))
    assert len(found.refused) == 1
    assert "slice 0 of 0101010101010101" in found.refused[0]
    assert len(found) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgpack.packb({"format": "chot-dcc-revocations/1"}),
        document(version=2),
        b"\x91" * 3_000 + b"\x90",
        document() + b"\x00",
        document(*[None] * (dcc_revocations.FORM.max_entries + 1)),
    ],
)
def test_a_document_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_revocations(data)


def test_a_document_beyond_the_limits_is_neither_read_nor_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = write_revocations([a_list()])
    small = msgspec.structs.replace(dcc_revocations.FORM, max_bytes=len(data) - 1)
    monkeypatch.setattr(dcc_revocations, "FORM", small)
    with pytest.raises(TrustError):
        read_revocations(data)
    with pytest.raises(TrustError):
        write_revocations([a_list()])
    monkeypatch.undo()
    monkeypatch.setattr(dcc_revocations, "MAX_SLICES", 2)
    with pytest.raises(TrustError):
        read_revocations(data)


@given(st.integers(0, 3_000), st.binary(max_size=3))
def test_no_damaged_document_raises_anything_else(at: int, damage: bytes) -> None:
    data = document(GOOD, GOOD)
    damaged = data[:at] + damage + data[at + len(damage) :]
    try:
        found = read_revocations(damaged)
    except TrustError:
        return
    found.holds(KEY_ID, named(HASHES[0]), NOW_NS)
