"""What a running daemon answers at its control socket: its replica's status, and enquiries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from admission.enquiry import Purpose
from admission.identity import Identifier, IdentifierKind, normalise
from appliance.control import Answer
from appliance.enquiries import Enquiries
from appliance.errors import ApplianceError
from cache.replica.status import ReplicaStatus

MAX_NUMBER_LENGTH = 256


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

    :raises ApplianceError: if nothing is left of it, or it is too long to be one.
    """
    identifier = normalise(kind, value)
    if not 0 < len(identifier.value) <= MAX_NUMBER_LENGTH:
        raise ApplianceError("that is no number", hint="type it as it stands on the card")
    return identifier
