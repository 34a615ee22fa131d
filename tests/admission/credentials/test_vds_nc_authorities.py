"""Protects whom the gate believes about seals: a state's own signers, for that state, for seals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from admission.credential import Signature
from admission.credentials.vds_nc import parse
from admission.credentials.vds_nc_authorities import (
    FORM,
    SIGNER_PURPOSE,
    AuthorityEntry,
    read_authorities,
    write_authorities,
)
from admission.errors import TrustError
from tests.admission.credentials import seals
from tests.admission.credentials.seals import P384, authorities, csca, example, ministry, outcome_of


@pytest.mark.parametrize(
    "rsa_padding", [padding.PKCS1v15(), seals.pss(), seals.pss(20)], ids=["pkcs1", "pss", "pss-20"]
)
def test_authorities_with_rsa_keys(rsa_padding: Any) -> None:
    issuer = seals.rsa_key()
    certificate = seals.signer(issuer, seals.ec_key(), rsa_padding=rsa_padding)
    content = seals.seal(seals.vaccination(), certificate, seals.ec_key())
    found = parse(json.dumps(content), authorities(seals.authority(issuer)))
    assert outcome_of(found) is Signature.VALID


@pytest.mark.parametrize("purposes", [(), ("2.23.136.1.1.4.1",)])
def test_a_passport_signer_of_the_same_state_may_not_seal(purposes: tuple[str, ...]) -> None:
    certificate = seals.signer(seals.ec_key(5, P384), seals.ec_key(), purposes=purposes)
    found = parse(
        json.dumps(seals.seal(seals.vaccination(), certificate, seals.ec_key())), authorities()
    )
    assert outcome_of(found) is Signature.WRONG_USE
    assert (found.certificate, found.identifiers) == (None, ())


def test_a_state_may_not_seal_in_the_name_of_another() -> None:
    text = json.dumps(seals.seal(seals.vaccination(), ministry(), seals.ec_key()))
    assert outcome_of(parse(text, authorities(issuers=("JPN",)))) is Signature.WRONG_USE


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        ({"issuer": "Another CSCA"}, Signature.UNKNOWN_ISSUER),
        ({"key_id": b"another"}, Signature.UNKNOWN_ISSUER),
        ({"key_id": None}, Signature.VALID),
        ({"issuer": "UTOPIA  csca"}, Signature.VALID),
        ({"hashed": hashes.SHA512()}, Signature.VALID),
    ],
)
def test_a_signer_belongs_to_the_authority_that_it_names(
    arguments: dict[str, Any], outcome: Signature
) -> None:
    certificate = seals.signer(seals.ec_key(5, P384), seals.ec_key(), **arguments)
    content = seals.seal(seals.vaccination(), certificate, seals.ec_key())
    found = parse(json.dumps(content), authorities())
    assert outcome_of(found) is outcome
    assert (found.certificate is not None) is (outcome is Signature.VALID)


def test_a_signer_that_its_authority_never_signed_is_forged() -> None:
    certificate = seals.signer(seals.ec_key(6, P384), seals.ec_key())
    content = seals.seal(seals.vaccination(), certificate, seals.ec_key())
    assert outcome_of(parse(json.dumps(content), authorities())) is Signature.INVALID


def test_two_authorities_of_one_name_are_both_tried() -> None:
    text = json.dumps(seals.seal(seals.vaccination(), ministry(), seals.ec_key()))
    older = seals.authority(seals.ec_key(6, P384))
    assert outcome_of(parse(text, authorities(older, csca()))) is Signature.VALID


def test_a_document_reads_back_the_same_in_any_order() -> None:
    entries = [AuthorityEntry(("UTO",), csca()), AuthorityEntry(("JPN", "UTO"), ministry(), True)]
    data = write_authorities(entries)
    assert data == write_authorities([*reversed(entries), entries[0]])
    read = read_authorities(data)
    assert (len(read), read.refused) == (2, [])
    assert outcome_of(parse(example(), read)) is Signature.VALID


def test_a_bad_authority_is_named_and_spoils_no_other() -> None:
    entries = [
        AuthorityEntry(("UTO",), csca()),
        AuthorityEntry(("UTO",), ministry()),
        AuthorityEntry(("utopia",), csca()),
        AuthorityEntry((), csca()),
        AuthorityEntry(("UTO",), b"junk"),
        AuthorityEntry(("UTO",), seals.authority(seals.ec_key(5, P384), ca=False)),
    ]
    packed = write_authorities(entries)
    read = read_authorities(packed)
    assert (len(read), len(read.refused)) == (1, 5)
    assert outcome_of(parse(example(), read)) is Signature.VALID


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", b"\x90", FORM.format.encode()])
def test_a_document_that_is_none_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(TrustError):
        read_authorities(data)


def test_the_purpose_of_signers_is_that_of_the_specification() -> None:
    assert SIGNER_PURPOSE == "2.23.136.1.1.14.2"
