"""Protects the keys under which people are found: one number, one key, one register."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.identity import (
    MAX_PERMITS,
    Identifier,
    IdentifierKind,
    PersonKey,
    bulk_keyer,
    hashed,
    normalise,
    permit_keys,
    person_keyer,
)

KEY = bytes(range(32))
any_text = st.text(st.characters(codec=None), max_size=40)
kinds = st.sampled_from(IdentifierKind)


@given(kinds, any_text)
def test_the_normal_form_of_a_normal_form_is_itself(kind: IdentifierKind, value: str) -> None:
    once = normalise(kind, value)
    assert normalise(kind, once.value) == once or not value.isascii()


@given(kinds, st.text("0189azAZ", min_size=6, max_size=12), st.sampled_from(" -.\t\n\u00a0"))
def test_separators_and_case_do_not_matter(kind: IdentifierKind, value: str, sep: str) -> None:
    assert normalise(kind, sep.join(value)) == normalise(kind, value.lower())


def test_a_key_is_the_keyed_hash_that_the_publisher_computes() -> None:
    identifier = Identifier(IdentifierKind.QID, "162979388586171100")
    digest = hashlib.blake2b(b"Q162979388586171100", digest_size=8, key=KEY).digest()
    assert person_keyer(KEY)(identifier) == int.from_bytes(digest, "little")


def test_the_same_number_in_two_registers_is_two_people() -> None:
    key_of = person_keyer(KEY)
    assert len({key_of(Identifier(kind, "12345678901")) for kind in IdentifierKind}) == len(
        IdentifierKind
    )


@given(kinds, any_text)
def test_any_identifier_has_a_key_of_64_bits(kind: IdentifierKind, value: str) -> None:
    key_of = person_keyer(KEY)
    key = key_of(Identifier(kind, value))
    assert 0 <= key < 1 << 64
    assert key_of(Identifier(kind, value)) == key
    assert person_keyer(KEY[::-1])(Identifier(kind, value)) != key


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_hash_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        person_keyer(bytes(length))


@given(st.integers(0, (1 << 64) - 1))
def test_a_persons_permits_have_rows_of_their_own(key: int) -> None:
    keys = permit_keys(PersonKey(key))
    assert keys[0] == key
    assert len(set(keys)) == MAX_PERMITS == 8
    assert all(0 <= k < 1 << 64 for k in keys)


@given(st.lists(st.builds(Identifier, kinds, any_text)))
def test_many_at_once_get_the_keys_that_each_gets_alone(identifiers: list[Identifier]) -> None:
    keys = bulk_keyer(KEY)(map(hashed, identifiers))
    alone = [person_keyer(KEY)(one).to_bytes(8, "little") for one in identifiers]
    assert keys == b"".join(alone)
