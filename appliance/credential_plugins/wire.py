"""What the gate and the plug-ins' process say to each other: 4 bytes of length, then msgpack.

What comes back is decoded by strict types and bounds, and made into a credential here: whatever a
plug-in returns, it cannot grant a right, claim a proof, or name people in registers other than
those that unsigned codes may name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec

from admission.credential import Credential, CredentialKind, Doubt, Holder
from admission.credentials import fields
from admission.identity import Identifier, IdentifierKind, normalise

GROUP = "chot.credentials"
"""Entry-point group of the plug-ins."""
MAX_PLUGINS = 16
LENGTH_BYTES = 4
MAX_REQUEST_BYTES = 1 << 18
MAX_MESSAGE_BYTES = 1 << 13
MAX_IDENTIFIERS = 8
ALLOWED_KINDS = frozenset(
    {
        IdentifierKind.FOREIGN,
        IdentifierKind.DOCUMENT,
        IdentifierKind.QID,
        IdentifierKind.INSURANCE,
    }
)
"""Registers that a plug-in may name: its own, and those that the national unsigned codes name."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_NUMBER = re.compile(r"[!-~]{1,64}", re.ASCII)
_QID = re.compile(r"[0-9A-Z]{1,36}", re.ASCII)

_Text = Annotated[str, msgspec.Meta(max_length=128)]


class Step(StrEnum):
    """What a message of the plug-ins' process says."""

    LOADING = "loading"
    LOADED = "loaded"
    UNLOADABLE = "unloadable"
    READY = "ready"
    FOUND = "found"
    NOTHING = "nothing"
    """The plug-in does not know the text."""
    FAULT = "fault"
    """The plug-in raised, or returned something else than a credential."""


class Request(msgspec.Struct, frozen=True):
    """One text for one plug-in."""

    number: int
    plugin: str
    text: str
    payload: bytes


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken over of a plug-in's credential."""

    identifiers: Annotated[
        tuple[tuple[IdentifierKind, _Text], ...], msgspec.Meta(max_length=MAX_IDENTIFIERS)
    ] = ()
    name: _Text = ""
    born: date | None = None
    doubts: Annotated[tuple[Doubt, ...], msgspec.Meta(max_length=len(Doubt))] = ()


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of the plug-ins' process; `number` is that of the request it answers."""

    step: Step
    number: int = 0
    plugin: _Text = ""
    kinds: Annotated[tuple[IdentifierKind, ...], msgspec.Meta(max_length=16)] = ()
    claim: Claim | None = None


pack = msgspec.msgpack.Encoder().encode
unpack_request = msgspec.msgpack.Decoder(Request).decode
unpack_message = msgspec.msgpack.Decoder(Message).decode


def is_plugin_name(name: str) -> bool:
    """Return whether a format may have this name: lower case letters, digits and underscores."""
    return _NAME.fullmatch(name) is not None


def declared_kinds(parse: object) -> tuple[IdentifierKind, ...]:
    """Return the registers that a plug-in's function declares; its own if it declares none.

    :raises ValueError: if one of them is not in `ALLOWED_KINDS`.
    """
    declared: Iterable[str] = getattr(parse, "identifier_kinds", (IdentifierKind.FOREIGN,))
    kinds = tuple(IdentifierKind(kind) for kind in declared)
    if not set(kinds) <= ALLOWED_KINDS or len(kinds) > len(ALLOWED_KINDS):
        raise ValueError("a plug-in names registers that plug-ins may not name")
    return kinds


def claim_of(credential: object) -> Claim:
    """Return what is taken over of a credential. For the plug-ins' side.

    :raises TypeError: if it is none.
    :raises ValueError: if it is beyond the bounds of `Claim`.
    """
    if not isinstance(credential, Credential):
        raise TypeError("a plug-in returns a Credential or None")
    # Looked at before anything is made of it: a million numbers would take the process's memory.
    if len(credential.identifiers) > MAX_IDENTIFIERS or len(credential.doubts) > len(Doubt):
        raise ValueError("a plug-in's credential holds more than a claim may")
    holder = credential.holder or Holder("")
    claim = Claim(
        tuple((identifier.kind, identifier.value) for identifier in credential.identifiers),
        holder.name,
        holder.born,
        tuple(credential.doubts),
    )
    return msgspec.convert(msgspec.to_builtins(claim), Claim)


def credential_of(claim: Claim, plugin: str, kinds: Iterable[IdentifierKind]) -> Credential:
    """Return the credential of a claim, of kind PLUGGED_IN. Masked numbers are left out.

    :param kinds: registers that the plug-in declared.
    :raises ValueError: if the claim names others, or holds a name or a number that is none.
    """
    allowed = ALLOWED_KINDS.intersection(kinds)
    if not allowed.issuperset(kind for kind, _ in claim.identifiers):
        raise ValueError("a plug-in's credential names a register that it did not declare")
    if not fields.is_clean(claim.name):
        raise ValueError("a plug-in's credential has a name that is not printable")
    found = (_identifier(kind, value, plugin) for kind, value in claim.identifiers)
    return Credential(
        CredentialKind.PLUGGED_IN,
        tuple(identifier for identifier in found if identifier is not None),
        Holder(claim.name, claim.born) if claim.name else None,
        doubts=claim.doubts,
        format=plugin,
    )


def _identifier(kind: IdentifierKind, value: str, plugin: str) -> Identifier | None:
    if kind is IdentifierKind.DOCUMENT:
        return fields.document(value)
    if kind is IdentifierKind.INSURANCE:
        return fields.insurance(value)
    normal = normalise(kind, value).value
    if kind is IdentifierKind.QID:
        return Identifier(kind, normal) if _QID.fullmatch(normal) else None
    if not _NUMBER.fullmatch(normal):
        raise ValueError("a number of a plug-in's own register is 1 to 64 ASCII characters")
    return normalise(kind, f"{plugin}/{normal}")
