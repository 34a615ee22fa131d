"""Withdrawn credentials: the names under which a gate looks for them, and their CSV form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping

import msgspec

from admission.credentials.dcc import WITHDRAWN_HASH_BYTES
from admission.identity import Identifier, IdentifierKind, normalise
from admission.standing import CredentialStatus, Withdrawal
from hub import cells
from hub.errors import CellError
from hub.forms import Column, Form, RowError, Values, key_of
from hub.store.registers import Row


class WithdrawalKind(msgspec.Struct, frozen=True):
    """One register of credentials: its kind, and how a number of it gets its normal form."""

    kind: IdentifierKind
    read: Callable[[str], str]


def _hex(text: str, shortest: int, longest: int) -> str:
    digits = text.lower().replace(" ", "")
    if not re.fullmatch(rf"(?:[0-9a-f]{{2}}){{{shortest},{longest}}}", digits):
        msg = f"not {shortest} to {longest} bytes in hexadecimal"
        raise CellError(msg)
    return digits


def _digest(text: str) -> str:
    return _hex(text, WITHDRAWN_HASH_BYTES, WITHDRAWN_HASH_BYTES)


def _uvci(text: str) -> str:
    return hashlib.sha256(text.encode()).digest()[:WITHDRAWN_HASH_BYTES].hex()


def _seal(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{1,3}/[ -~]{1,64}", text):
        raise CellError("not the seal's issuing state and number, as STATE/NUMBER")
    return normalise(IdentifierKind.CERTIFICATE, text).value


def _card_rid(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}/[A-Za-z0-9_-]{1,24}", text):
        raise CellError("not the card's key id and rid, as kid/rid")
    return text


KINDS: Mapping[str, WithdrawalKind] = {
    "pass": WithdrawalKind(IdentifierKind.PASS_NUMBER, lambda text: _hex(text, 1, 64)),
    "certificate": WithdrawalKind(IdentifierKind.DCC_UCI, _uvci),
    "dcc_uci": WithdrawalKind(IdentifierKind.DCC_UCI, _digest),
    "dcc_country_uci": WithdrawalKind(IdentifierKind.DCC_COUNTRY_UCI, _digest),
    "dcc_signature": WithdrawalKind(IdentifierKind.DCC_SIGNATURE, _digest),
    "health_card_rid": WithdrawalKind(IdentifierKind.HEALTH_CARD_RID, _card_rid),
    "seal": WithdrawalKind(IdentifierKind.CERTIFICATE, _seal),
}
"""`pass`: the number of a Chốt pass in hexadecimal. `certificate`: an EU certificate's UVCI as
printed. The `dcc_…` kinds are the hashes of the EU's revocation lists; `health_card_rid` is the key
id and rid of a SMART Health Card, as `kid/rid`. `seal`: a VDS-NC's UVCI or UTCI, as `STATE/NUMBER`.
"""

_kind = cells.one_of(KINDS)


def withdrawal(
    kind: WithdrawalKind,
    number: str,
    issued_before_h: int | None = None,
    status: CredentialStatus = CredentialStatus.REVOKED,
) -> Row:
    """Return the row that withdraws a credential, or with `ACTIVE` lets it count again.

    :param issued_before_h: withdraws only what was issued before this hour (UTC, since the epoch).
    :raises CellError: if it is no number of that kind.
    """
    identifier = Identifier(kind.kind, kind.read(number))
    return Row(key_of(identifier), (identifier,), Withdrawal(status, issued_before_h))


def _withdrawal(values: Values) -> Row:
    try:
        return withdrawal(
            values["kind"],
            values["number"],
            values.get("issued_before"),
            values.get("status", CredentialStatus.REVOKED),
        )
    except CellError as error:
        raise RowError("number", str(error)) from error


WITHDRAWALS_FORM: Form[Row] = Form(
    "withdrawals",
    (
        Column("kind", _kind, "pass", f"one of {', '.join(KINDS)}", required=True),
        Column("number", lambda text: text, "5f0c2a9d41e7b386",
               "the credential's number in that register", required=True, repeats=False),
        Column("issued_before", cells.hour_up, "2021-09-16T00:00+07:00",
               "only what was issued before this moment; empty = all"),
        Column("status", cells.status, "revoked",
               "revoked or active; revoked where it is empty"),
    ),
    _withdrawal,
)  # fmt: skip
