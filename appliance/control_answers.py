"""What a running daemon answers at its control socket: its replica's status, and enquiries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from admission.credentials import backup_number, fields, typed_code
from admission.enquiry import Purpose
from admission.identity import Identifier, IdentifierKind, normalise
from appliance.control import Answer
from appliance.enquiries import Enquiries
from appliance.errors import ApplianceError
from cache.replica.status import ReplicaStatus

MAX_NUMBER_LENGTH = 256
_SHORT = re.compile(r"[0-9]{10,11}")
"""A citizen card's twelve digits, of which zeros in front were left out."""
_READ: Mapping[IdentifierKind, tuple[Callable[[str], object], str]] = {
    IdentifierKind.DOCUMENT: (
        lambda text: (document := fields.document(text)) and not _SHORT.fullmatch(document.value),
        "a citizen card has twelve digits, an identity card nine; --kind names other registers",
    ),
    IdentifierKind.INSURANCE: (
        fields.insurance,
        "it has ten digits, or the fifteen characters of an older card",
    ),
    IdentifierKind.TYPED_CODE: (
        lambda text: typed_code.parse(text).identifiers,
        "it has eleven digits, of which the last checks the others",
    ),
    IdentifierKind.BACKUP_NUMBER: (
        lambda text: backup_number.parse(text).identifiers,
        "it has fourteen digits, of which the last checks the others",
    ),
}
"""How numbers of a register are read, and what they look like. What no hub takes is not on record
anywhere: that must not sound as if somebody were not."""


class LookUp(msgspec.Struct, frozen=True, tag_field="ask", tag="lookup"):
    """The question what is on record under one number, and why it is asked."""

    kind: IdentifierKind
    value: str
    purpose: Purpose


def control_answers(
    enquiries: Enquiries, status: Callable[[], ReplicaStatus]
) -> Mapping[str, Answer]:
    """Return the answers by what is asked for: `lookup` and `status`."""

    async def look_up(question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            asked = msgspec.convert(question, LookUp)
        except msgspec.ValidationError as error:
            msg = f"not an enquiry: {error}"
            raise ApplianceError(msg, hint="command and daemon are of one version?") from error
        return await enquiries.answer(number(asked.kind, asked.value), asked.purpose)

    async def tell_status(_question: Mapping[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(status())
        return plain

    return {"lookup": look_up, "status": tell_status}


def number(kind: IdentifierKind, value: str) -> Identifier:
    """Return the identifier that somebody typed, in its normal form.

    :raises ApplianceError: if nothing is left of it, it is too long to be one, or none of its
        register looks like it.
    """
    identifier = normalise(kind, value)
    if not 0 < len(identifier.value) <= MAX_NUMBER_LENGTH:
        raise ApplianceError("that is no number", hint="type it as it stands on the card")
    if kind is IdentifierKind.PASS_NUMBER:
        return Identifier(kind, identifier.value.lower())  # as passes have it: in hexadecimal
    if kind in _READ and not _READ[kind][0](value):
        msg = f"that is no number of this kind ({kind.value})"
        raise ApplianceError(msg, hint=_READ[kind][1])
    return identifier
