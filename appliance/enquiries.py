"""Looking one number up at the appliance: journaled first, answered then."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import msgspec

from admission.credential import Credential, CredentialKind, Proof, Signature
from admission.enquiry import Purpose, enquiry
from admission.identity import Identifier, IdentifierKind
from admission.passage import code_digest
from admission.ports import Book, Clock, Journal
from admission.site import Site
from admission.standing import Standing
from appliance.judging import Tokens

_WITHDRAWN_BY_NUMBER = {IdentifierKind.PASS_NUMBER, IdentifierKind.CERTIFICATE}


class Enquiries:
    """Answers what is known here under one number, after an entry that says who asked for what.

    :param digest_key: as for `passage.code_digest`.
    :param tokens: of the people of this gate; None where no lane is at work.
    """

    def __init__(
        self,
        site: Site,
        *,
        book: Book,
        journal: Journal,
        clock: Clock,
        digest_key: bytes,
        tokens: Tokens | None = None,
    ) -> None:
        self._site = site
        self._book = book
        self._journal = journal
        self._clock = clock
        self._digest_key = digest_key
        self._tokens = tokens

    async def answer(self, identifier: Identifier, purpose: Purpose) -> dict[str, Any]:
        """Return what is on record, as `described`, once the entry is durable.

        :raises Exception: what the journal raises; then nothing is told.
        """
        now = self._clock.now()
        credential = Credential(
            CredentialKind.UNRECOGNISED,
            (identifier,),
            proof=Proof(Signature.VALID, withdrawn_as=(identifier,))
            if identifier.kind in _WITHDRAWN_BY_NUMBER
            else None,
        )
        standing = self._book.standing_of(credential, now)
        digest = code_digest(f"{identifier.kind.value}:{identifier.value}", self._digest_key)
        entry = enquiry(self._site, standing, purpose, digest=digest, now=now)
        if self._tokens is not None and standing.person is not None:
            token = self._tokens.token(standing.person, digest, now)
            entry = msgspec.structs.replace(entry, token=token)
        await self._journal.append(entry)
        return described(standing)


def described(standing: Standing) -> dict[str, Any]:
    """Return a standing in plain values for whoever asked: words, numbers, times as ISO 8601 (UTC).

    The person's key and the identity digest are left out: they mean nothing to a reader.
    """
    plain: dict[str, Any] = _plain(standing)
    del plain["person"]
    facts = plain["facts"]
    if facts is not None:
        facts["born"] = facts["born"] and facts["born"][:4]  # a replica has no more than the year
        facts["identity"] = "on record" if facts["identity"] else None
    return plain


def _plain(value: Any) -> Any:
    """Return a value without types of ours: enumerations by name, hours of the epoch as times."""
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return {_plain_name(name): _plain_field(name, field) for name, field in fields.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.name.lower() if isinstance(value, IntEnum) else msgspec.to_builtins(value)


def _plain_name(name: str) -> str:
    return name.removesuffix("_h")


def _plain_field(name: str, value: Any) -> Any:
    if not name.endswith("_h") or value is None:
        return _plain(value)
    return datetime.fromtimestamp(value * 3_600, UTC).isoformat(timespec="minutes")
