"""Protects anti-passback from signed codes passed on in another text of the same message."""

from __future__ import annotations

import msgspec

from admission.credential import PassKind
from admission.credentials import base64url
from admission.credentials.chot_pass import sign_pass
from admission.credentials.trust import Trust
from admission.law import Law
from admission.passage import digest_of
from admission.rulebooks import Rulebooks
from admission.site import Demands
from admission.verdict import Outcome, Reason
from tests.admission.credentials.health_cards import card, immunization, issuers, payload, shc
from tests.admission.credentials.passes import KEY, OTHER_KEY, a_permit, trusting
from tests.appliance.test_lane import RULEBOOK, Gate
from tests.worlds import ManualClock, a_reading

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n of P-256 (SEC 2, 2.4.2)."""
LAW = Law(Rulebooks(RULEBOOK), trust=Trust(health_cards=issuers(), passes=trusting()))
NOW = ManualClock().now()
TWO_DOSES = payload(immunization(day="2021-06-01"), immunization(day="2021-08-01"))


def with_other_s(code: str) -> str:
    """Return the card with (r, n - s) in the place of (r, s): it holds just as well."""
    digits = code.removeprefix("shc:/")
    jws = "".join(chr(int(digits[i : i + 2]) + 45) for i in range(0, len(digits), 2))
    head, body, signature = jws.split(".")
    raw = base64url.decode(signature)
    other = (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return shc(f"{head}.{body}.{base64url.encode(raw[:32] + other)}")


async def test_a_health_card_with_another_signature_value_is_the_same_card() -> None:
    gate = Gate()
    gate.law = LAW
    gate.site = msgspec.structs.replace(gate.site, demands=Demands(anti_passback_s=600))
    lane, code = gate.a_lane("a"), card(TWO_DOSES)
    assert (await lane.serve(a_reading(code))).outcome is Outcome.ADMIT
    again = await lane.serve(a_reading(with_other_s(code)))
    assert (again.outcome, again.reason) == (Outcome.REFER, Reason.ANTI_PASSBACK)
    assert gate.zone.count(gate.clock.now()).inside == 1


def digest(code: str) -> bytes:
    reading = a_reading(code)
    return digest_of(reading, LAW.read(reading, NOW), b"k" * 32)


def test_a_pass_of_nobody_on_record_is_known_by_its_number() -> None:
    visitor = a_permit(kind=PassKind.VISITOR, subject=None)
    code = sign_pass(visitor, KEY)
    assert digest(code + " \r\n") == digest(code)
    other = a_permit(kind=PassKind.VISITOR, subject=None, number=bytes(8))
    assert digest(sign_pass(other, KEY)) != digest(code)


def test_what_nobody_trustworthy_signed_is_known_by_its_text() -> None:
    code = sign_pass(a_permit(kind=PassKind.VISITOR, subject=None), OTHER_KEY)
    assert digest(code + " ") != digest(code)
