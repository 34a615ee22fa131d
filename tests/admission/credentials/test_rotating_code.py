"""Protects the rotating codes: the RFCs' own passwords, and no code older than its window."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Proof, Signature
from admission.credentials.one_time_password import hotp, time_counter
from admission.credentials.rotating_code import parse, render
from admission.credentials.rotating_scheme import (
    Scheme,
    SchemeTable,
)
from admission.errors import IssueError
from admission.identity import Identifier, IdentifierKind
from admission.instant import ClockTrust, Instant

SECRET = "00112233445566778899aabbccddeeff" * 2
RFC_SECRET = b"12345678901234567890"
NOW_MS = int(datetime(2021, 9, 20, 1, tzinfo=UTC).timestamp()) * 1000
OBJECT = "3388000000012345678.resident-17"
STAMPED = Scheme(SchemeTable("wallet", SECRET))
MILLIS = Scheme(
    SchemeTable("millis", SECRET, pattern="M/{totp_value_0}{totp_timestamp_millis}/{id}")
)
UNSTAMPED = Scheme(
    SchemeTable("bare", SECRET, pattern="B:{id}:{totp_value_1}{totp_value_0}", digits=(8, 9))
)
ALL = (STAMPED, MILLIS, UNSTAMPED)


def at(unix_ms: int, trust: ClockTrust = ClockTrust.SYNCHRONISED) -> Instant:
    return Instant(unix_ms * 1_000_000, 0, "boot-1", trust)


def proof_of(credential: Credential) -> Proof:
    assert credential.kind is CredentialKind.ROTATING_CODE
    assert credential.proof is not None
    return credential.proof


@pytest.mark.parametrize(
    ("counter", "password"),
    [
        (0, "755224"),
        (1, "287082"),
        (2, "359152"),
        (3, "969429"),
        (4, "338314"),
        (5, "254676"),
        (6, "287922"),
        (7, "162583"),
        (8, "399871"),
        (9, "520489"),
    ],
)
def test_the_passwords_of_rfc_4226_appendix_d(counter: int, password: str) -> None:
    assert hotp(RFC_SECRET, counter, 6) == password


@pytest.mark.parametrize(
    ("unix_s", "password"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_passwords_of_rfc_6238_appendix_b(unix_s: int, password: str) -> None:
    assert hotp(RFC_SECRET, time_counter(unix_s * 1000, 30_000), 8) == password


@pytest.mark.parametrize(("counter", "digits"), [(-1, 6), (1 << 64, 6), (0, 5), (0, 10)])
def test_passwords_out_of_range_are_refused(counter: int, digits: int) -> None:
    with pytest.raises(ValueError, match="6 to 9 digits"):
        hotp(RFC_SECRET, counter, digits)


ids = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,95}", fullmatch=True)


@given(st.sampled_from(ALL), ids, st.integers(0, 10**13))
def test_what_a_wallet_shows_reads_back(scheme: Scheme, object_id: str, unix_ms: int) -> None:
    credential = parse(render(scheme, object_id, unix_ms), ALL, at(unix_ms))
    proof = proof_of(credential)
    assert proof.signature is Signature.VALID
    assert proof.issuer == scheme.table.name
    assert proof.not_before_ns is not None
    assert proof.expires_ns is not None
    assert proof.not_before_ns <= unix_ms * 1_000_000 < proof.expires_ns
    assert len(credential.once) == 16
    assert credential.identifiers[0].kind is IdentifierKind.WALLET_OBJECT


def test_a_code_counts_from_a_little_before_it_was_made_until_its_window_is_over() -> None:
    credential = parse(render(STAMPED, OBJECT, NOW_MS), ALL, None)
    assert credential.identifiers == (
        Identifier(IdentifierKind.WALLET_OBJECT, "3388000000012345678RESIDENT17"),
    )
    assert credential.proof == Proof(
        Signature.VALID,
        issuer="wallet",
        not_before_ns=(NOW_MS - 10_000) * 1_000_000,
        expires_ns=(NOW_MS + 60_000) * 1_000_000,
    )


@given(st.integers(0, 8), st.integers(1, 9))
def test_another_digit_is_no_proof(place: int, shift: int) -> None:
    code = render(STAMPED, OBJECT, NOW_MS)
    spot = len(code) - 1 - place
    if code[spot] == ":":
        return
    wrong = code[:spot] + str((int(code[spot]) + shift) % 10) + code[spot + 1 :]
    credential = parse(wrong, ALL, None)
    assert proof_of(credential).signature is Signature.INVALID
    assert credential.once == b""


def test_another_object_another_scheme_and_another_period_are_no_proof() -> None:
    code = render(STAMPED, OBJECT, NOW_MS)
    others = (
        (code.replace("resident-17", "resident-18"), ALL),
        (code, (Scheme(SchemeTable("wallet", "11" * 32)),)),
        (code.replace(str(NOW_MS // 1000), str(NOW_MS // 1000 + 30)), ALL),
    )
    for text, schemes in others:
        assert proof_of(parse(text, schemes, None)).signature is Signature.INVALID


def test_a_copy_within_the_period_is_the_same_use_whatever_its_timestamp() -> None:
    first = parse(render(STAMPED, OBJECT, NOW_MS), ALL, None)
    later = parse(render(STAMPED, OBJECT, NOW_MS + 29_000), ALL, None)
    following = parse(render(STAMPED, OBJECT, NOW_MS + 30_000), ALL, None)
    another = parse(render(STAMPED, OBJECT + "x", NOW_MS), ALL, None)
    assert first.once == later.once
    assert len({first.once, following.once, another.once}) == 3


@pytest.mark.parametrize(
    ("shift_ms", "signature"),
    [
        (0, Signature.VALID),
        (-10_000, Signature.VALID),
        (89_999, Signature.VALID),
        (90_000, Signature.INVALID),
        (-10_001, Signature.INVALID),
    ],
)
def test_without_a_timestamp_the_counters_around_now_are_tried(
    shift_ms: int, signature: Signature
) -> None:
    began_ms = NOW_MS - NOW_MS % 30_000
    code = render(UNSTAMPED, OBJECT, began_ms)
    proof = proof_of(parse(code, ALL, at(began_ms + shift_ms)))
    assert proof.signature is signature
    if signature is Signature.VALID:
        assert proof.not_before_ns == (began_ms - 10_000) * 1_000_000
        assert proof.expires_ns == (began_ms + 90_000) * 1_000_000


@pytest.mark.parametrize("now", [None, at(NOW_MS + 10**9, ClockTrust.UNKNOWN)])
def test_without_a_date_nothing_is_refuted(now: Instant | None) -> None:
    code = render(UNSTAMPED, OBJECT, NOW_MS)
    assert proof_of(parse(code, ALL, now)).signature is Signature.UNKNOWN_ISSUER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CHOTR1:",
        f"CHOTR1:{OBJECT}:1631318400:1234567",
        f"CHOTR1:{OBJECT}:1631318400:123456789",
        f"CHOTR1:{OBJECT}:163131840000:12345678",
        f"CHOTR1:{OBJECT}::12345678",
        f"CHOTR1:{OBJECT}:１６３１３１８４００:12345678",
        "CHOTR1:.x:1631318400:12345678",
        "CHOTR1:" + "a" * 97 + ":1631318400:12345678",
        "CHOTR1:" + "a" * 10_000,
        f" CHOTR1:{OBJECT}:1631318400:12345678",
    ],
)
def test_what_is_not_of_a_pattern_is_unrecognised(text: str) -> None:
    assert parse(text, ALL, at(NOW_MS)) == UNRECOGNISED


nearly = st.lists(
    st.sampled_from(["CHOTR1:", "B:", "M/", OBJECT, ":", "/", "1631318400", "12345678", "9" * 30])
    | st.text(max_size=8),
    max_size=8,
).map("".join)


@given(nearly, st.none() | st.integers(-(10**13), 10**15).map(at))
def test_any_text_at_all_ends_in_a_credential(text: str, now: Instant | None) -> None:
    credential = parse(text, ALL, now)
    assert credential.kind in {CredentialKind.ROTATING_CODE, CredentialKind.UNRECOGNISED}


def test_a_wallet_gets_what_it_needs_to_show_the_same_codes() -> None:
    rotating = UNSTAMPED.wallet_fragment(OBJECT)["rotatingBarcode"]
    assert rotating["type"] == "QR_CODE"
    assert rotating["valuePattern"] == f"B:{OBJECT}:{{totp_value_1}}{{totp_value_0}}"
    details = rotating["totpDetails"]
    assert details["algorithm"] == "TOTP_SHA1"
    counter = NOW_MS // int(details["periodMillis"])
    shown = rotating["valuePattern"]
    for n, parameter in enumerate(details["parameters"]):
        value = hotp(bytes.fromhex(parameter["key"]), counter, parameter["valueLength"])
        shown = shown.replace(f"{{totp_value_{n}}}", value)
    assert shown == render(UNSTAMPED, OBJECT, NOW_MS)


@pytest.mark.parametrize("object_id", ["", ".x", "a b", "a:b", "é", "a" * 97])
def test_no_other_id_is_issued(object_id: str) -> None:
    with pytest.raises(IssueError):
        STAMPED.wallet_fragment(object_id)
    with pytest.raises(IssueError):
        render(STAMPED, object_id, NOW_MS)
