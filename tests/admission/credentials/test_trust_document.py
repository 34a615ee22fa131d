"""Protects gates from lists of keys that are too large, damaged, or lists of something else."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials.trust_document import DocumentForm
from admission.errors import TrustError

FORM = DocumentForm("chot-test/1", "test entries", 64, 4)


# Four of the longest are within the form's 64 bytes.
words = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=2)


@given(st.lists(st.integers(0, 9) | words, max_size=4))
def test_what_is_written_reads_back(entries: list[int | str]) -> None:
    assert FORM.read(FORM.write(entries)) == entries


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgpack.packb([]),
        msgpack.packb({"format": "chot-test/1"}),
        msgpack.packb({"format": "chot-test/2", "entries": []}),
        msgpack.packb({"format": "chot-test/1", "entries": {}}),
        msgpack.packb({"format": "chot-test/1", "entries": [0] * 5}),
        msgpack.packb({"format": "chot-test/1", "entries": ["x" * 60]}),
        FORM.write([1]) + b"\x00",
    ],
)
def test_what_is_no_such_list_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError) as caught:
        FORM.read(data)
    assert caught.value.hint


@pytest.mark.parametrize("entries", [[0] * 5, ["x" * 60]])
def test_nothing_is_written_that_no_gate_would_read(entries: list[object]) -> None:
    with pytest.raises(TrustError, match="over the limit"):
        FORM.write(entries)


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        FORM.read(data)
    except TrustError:
        return
