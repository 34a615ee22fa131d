"""Aliases: further identifiers of a person, each leading to the one record that the person has."""

from __future__ import annotations

import msgspec

from admission.identity import PersonKey
from admission.standing import CredentialStatus

KEY_BITS = 64
PERSON_BITS = 62
"""Highest bits of a key: they tell people apart."""
SPARE_BITS = KEY_BITS - PERSON_BITS
"""Lowest bits of a key that do not count where people are told apart."""
PERSON_MASK = (1 << KEY_BITS) - (1 << SPARE_BITS)
_STATUS_MASK = (1 << SPARE_BITS) - 1
_STATUSES = tuple(CredentialStatus)


class Alias(msgspec.Struct, frozen=True, gc=False):
    """One further identifier: its own status, and whose it is.

    `person` is the first 62 bits of the key under which the person's record stands in `persons`.
    """

    status: CredentialStatus
    person: int

    @property
    def key(self) -> PersonKey:
        """The key to look the person's record up by; its last two bits are zero."""
        return PersonKey(self.person << SPARE_BITS)


def person_of(key: PersonKey) -> PersonKey:
    """Return the key that stands for a person whichever identifier was shown.

    :param key: under which the person's record stands.

    >>> hex(person_of(PersonKey(0xFFFF_0000_0000_0007)))
    '0xffff000000000004'
    """
    return key & PERSON_MASK  # type: ignore[return-value]  # a call of the type would be felt


def led_to(record: bytes) -> tuple[PersonKey, CredentialStatus]:
    """Return whom a packed alias leads to, as `Alias.key`, and its status.

    The same as the layout `ALIASES_1` says, without an `Alias` in between.

    :raises LookupError: if it has a status without a meaning.
    """
    packed = int.from_bytes(record, "little")
    return person_of(packed), _STATUSES[packed & _STATUS_MASK]  # type: ignore[arg-type]
