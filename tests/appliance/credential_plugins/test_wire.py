"""Protects the gate from what a plug-in returns: no rights, no guarded register, no flood."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admission.credential import (
    Credential,
    CredentialKind,
    Doubt,
    Holder,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.identity import Identifier, IdentifierKind
from appliance.credential_plugins.wire import (
    ALLOWED_KINDS,
    Claim,
    Message,
    Step,
    claim_of,
    credential_of,
    declared_kinds,
    is_plugin_name,
    pack,
    unpack_message,
)

FOREIGN = IdentifierKind.FOREIGN


def test_a_plugin_names_somebody_and_grants_nothing() -> None:
    credential = Credential(
        CredentialKind.CHOT_PASS,
        (
            Identifier(FOREIGN, "ab-12"),
            Identifier(IdentifierKind.QID, "1629 7938"),
            Identifier(IdentifierKind.DOCUMENT, "001087******"),
            Identifier(IdentifierKind.INSURANCE, "DN4790123456789"),
        ),
        Holder("Trần Thị Bình", date(1987, 1, 18)),
        proof=Proof(Signature.VALID),
        granted=Pass(PassKind.OFFICER, b"1"),
        doubts=(Doubt.SEX_DIFFERS,),
        once=b"once",
        format="another",
    )
    claim = claim_of(credential)
    assert credential_of(claim, "badge", ALLOWED_KINDS) == Credential(
        CredentialKind.PLUGGED_IN,
        (
            Identifier(FOREIGN, "BADGE/AB12"),
            Identifier(IdentifierKind.QID, "16297938"),
            Identifier(IdentifierKind.INSURANCE, "0123456789"),
        ),
        Holder("Trần Thị Bình", date(1987, 1, 18)),
        doubts=(Doubt.SEX_DIFFERS,),
        format="badge",
    )
    assert unpack_message(pack(Message(Step.FOUND, 1, claim=claim))).claim == claim


def identified(kind: Any, value: Any) -> Credential:
    return Credential(CredentialKind.PLUGGED_IN, (Identifier(kind, value),))


@pytest.mark.parametrize(
    "returned",
    [
        "text",
        7,
        [],
        Credential(CredentialKind.PLUGGED_IN, "identifiers"),  # type: ignore[arg-type]
        Credential(CredentialKind.PLUGGED_IN, (Identifier(FOREIGN, "1"),) * 9),
        Credential(CredentialKind.PLUGGED_IN, (), Holder("N" * 129)),
        Credential(CredentialKind.PLUGGED_IN, (), Holder("N", "1987-02-30")),  # type: ignore[arg-type]
        Credential(CredentialKind.PLUGGED_IN, (), None, doubts=("other",)),  # type: ignore[arg-type]
        identified(FOREIGN, "1" * 129),
        identified(FOREIGN, 7),
        identified("other", "1"),
    ],
)
def test_what_is_no_credential_of_ours_is_a_fault(returned: object) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        claim_of(returned)


@pytest.mark.parametrize("kind", sorted(set(IdentifierKind) - ALLOWED_KINDS))
def test_registers_that_are_guarded_are_named_by_no_plugin(kind: IdentifierKind) -> None:
    with pytest.raises(ValueError, match="register"):
        credential_of(Claim(((kind, "57213004864"),)), "badge", set(IdentifierKind))

    def parse() -> None: ...

    parse.identifier_kinds = (kind,)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="registers"):
        declared_kinds(parse)


def test_a_plugin_that_declares_nothing_has_its_own_register() -> None:
    assert declared_kinds(print) == (FOREIGN,)
    with pytest.raises(ValueError, match="did not declare"):
        credential_of(Claim(((IdentifierKind.QID, "1"),)), "badge", declared_kinds(print))


@given(st.text(max_size=70))
def test_a_foreign_number_stays_within_its_register_or_is_refused(number: str) -> None:
    try:
        credential = credential_of(Claim(((FOREIGN, number),), "A"), "badge", [FOREIGN])
    except ValueError:
        return
    (identifier,) = credential.identifiers
    assert identifier.value.startswith("BADGE/")
    assert identifier.value.isascii()
    assert len(identifier.value) <= 70


@given(st.text(max_size=130))
def test_a_name_is_printable_or_the_claim_is_refused(name: str) -> None:
    try:
        credential = credential_of(Claim((), name), "badge", [FOREIGN])
    except ValueError:
        return
    assert credential.holder is None or credential.holder.name.isprintable()


messages = st.builds(
    lambda step, more: msgspec.msgpack.encode({"step": step} | more),
    st.sampled_from([*Step, "other"]),
    st.dictionaries(
        st.sampled_from(["number", "plugin", "kinds", "claim", "more"]),
        st.none() | st.integers(0, 9) | st.text(max_size=3) | st.lists(st.text(max_size=3)),
        max_size=4,
    ),
)


@example(b"\x81\xa2\x00\x80")
@given(messages | st.binary(max_size=40))
def test_any_bytes_at_all_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = unpack_message(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # what `PluginProcess` takes for broken
        return
    assert isinstance(message, Message)


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a.b", "a/b", "é", "a" * 33])
def test_a_formats_name_is_a_lower_case_word(name: str) -> None:
    assert not is_plugin_name(name)
    assert is_plugin_name("movement_declaration_3")
