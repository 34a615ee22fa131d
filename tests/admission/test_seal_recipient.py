"""Protects whom gates seal entries for: a key that one can agree on a key with, or none."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import TrustError
from admission.seal_recipient import read_recipient, write_recipient
from admission.sealing import raw_public

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()


def test_the_document_is_what_it_was() -> None:
    assert write_recipient(KEY) == (
        b'{"type":"journal-seal","version":1,"public_key":"%s"}' % raw_public(KEY).hex().encode()
    )
    assert raw_public(read_recipient(write_recipient(KEY))) == raw_public(KEY)


@given(st.binary(max_size=200))
def test_hostile_documents_are_refused(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_recipient(data)


@pytest.mark.parametrize("change", [
    (b"journal-seal", b"pass"), (b"1,", b"2,"), (b'"}', b'00"}'), (b'"}', b'\xff"}'),
    (raw_public(KEY).hex().encode(), b"00" * 32), (raw_public(KEY).hex().encode(), b"zz" * 32),
    (b"{", b"{" * 500),
])  # fmt: skip
def test_a_document_of_anything_else_is_refused(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(TrustError):
        read_recipient(write_recipient(KEY).replace(*change))
    with pytest.raises(TrustError):
        read_recipient(write_recipient(KEY) + b" " * 2_000)
