"""Protects printed passes: each fits a QR code of version 10-M, and too long ones are refused."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
import segno

from admission.credential import Holder, PassKind
from admission.credentials import base45
from admission.credentials.chot_pass import (
    MAX_MESSAGE_BYTES,
    MAX_TEXT_LENGTH,
    PREFIX,
    parse,
    sign_pass,
)
from admission.credentials.pass_content import PassClaims
from admission.errors import IssueError
from admission.hours import Hours
from admission.identity import PersonKey
from tests.admission.credentials.passes import (
    ISSUED_S,
    KEY,
    a_permit,
    trusting,
)


def test_a_typical_pass_of_every_kind_fits_a_code_of_version_10() -> None:
    holder = Holder("Nguyễn Thị Phương Thảo", date(1987, 1, 18))
    permit = a_permit()
    subject, number = permit.granted.subject, permit.granted.number
    visitor = msgspec.structs.replace(
        a_permit(kind=PassKind.VISITOR, districts=(), places=(), sites=("nha-may-1", "kho-2")),
        not_before_s=ISSUED_S + 3600,
    )
    badge = a_permit(kind=PassKind.OFFICER, officer=4_016, places=(), hours=())
    card = a_permit(kind=PassKind.CARD, places=(), districts=(), hours=())
    assert subject is not None
    assert len(number) == 8
    for claims in (permit, visitor, badge, card):
        text = sign_pass(msgspec.structs.replace(claims, holder=holder), KEY)
        code = segno.make(text, error="m", boost_error=False, micro=False)
        assert code.mode == "alphanumeric"
        assert int(code.version) <= 10


def test_the_largest_pass_fits_and_one_byte_more_is_refused_with_what_to_shorten() -> None:
    def named(length: int) -> PassClaims:
        return msgspec.structs.replace(a_permit(), holder=Holder("A" * length))

    room = MAX_MESSAGE_BYTES - len(base45.decode(sign_pass(named(30), KEY).removeprefix(PREFIX)))
    longest = sign_pass(named(30 + room), KEY)
    assert MAX_TEXT_LENGTH - 3 < len(longest) <= MAX_TEXT_LENGTH
    assert segno.make(longest, error="m", boost_error=False).version == 10
    assert parse(longest, trusting()).granted == a_permit().granted
    with pytest.raises(IssueError, match="1 byte too long") as refused:
        sign_pass(named(31 + room), KEY)
    assert "sites" in refused.value.hint


# ---- what is not issued


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (a_permit(number=b"1"), "8 bytes"),
        (a_permit(subject=PersonKey(1 << 64)), "64 bits"),
        (a_permit(officer=1), "badge"),
        (a_permit(kind=PassKind.OFFICER), "badge"),
        (a_permit(kind=PassKind.OFFICER, officer=1 << 32), "32 bits"),
        (a_permit(kind=PassKind.OFFICER, officer=1, subject=None), "names nobody"),
        (a_permit(kind=PassKind.CARD), "no rights"),
        (a_permit(sites=("Nhà máy",)), "site id"),
        (a_permit(districts=(0,)), "district code"),
        (a_permit(hours=tuple(Hours(n, n + 1) for n in range(17))), "more than 16"),
        (msgspec.structs.replace(a_permit(), expires_s=ISSUED_S), "order"),
        (msgspec.structs.replace(a_permit(), not_before_s=ISSUED_S - 1), "order"),
        (msgspec.structs.replace(a_permit(), expires_s=1 << 32), "order"),
        (msgspec.structs.replace(a_permit(), holder=Holder("")), "name"),
        (msgspec.structs.replace(a_permit(), holder=Holder("A", date(1700, 1, 1))), "birth"),
    ],
)
def test_parts_that_make_no_pass_are_refused(claims: PassClaims, message: str) -> None:
    with pytest.raises(IssueError, match=message):
        sign_pass(claims, KEY)
