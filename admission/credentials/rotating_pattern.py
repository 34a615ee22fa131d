"""The pattern of a rotating code: text with placeholders, as Google Wallet's `valuePattern` has it.

    pattern     = literal 1*( placeholder / literal )
    placeholder = "{id}" / "{totp_timestamp_seconds}" / "{totp_timestamp_millis}"
                / "{totp_value_" digit "}"
    literal     = 1*( printable ASCII but braces and backslash )

`{id}` is the wallet object's id, which the wallet has as plain text in its own copy of the pattern;
the timestamp is when the code was made; the values are one-time passwords of a fixed length.

A pattern begins with a literal (so that other codes are told apart at once), names `{id}` once,
a timestamp at most once, and the values 0, 1, … once each. What has no fixed length, the id and
the timestamp, stands at the end or before a literal that begins with a character it cannot have
itself. So there is one way to read a text, found from left to right without ever going back.
"""

from __future__ import annotations

import re

import msgspec

from admission.errors import TrustError

MAX_PATTERN_LENGTH = 256
MAX_TEXT_LENGTH = 512
MAX_ID_LENGTH = 96
MAX_VALUES = 4
_DIGITS = frozenset("0123456789")
_ID_CHARACTERS = _DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-")
_MAX_TIMESTAMP = {"totp_timestamp_seconds": 11, "totp_timestamp_millis": 14}
_VALUE = "totp_value_"
_PART = re.compile(r"\{([^{}\\]*)\}|([^{}\\]+)|(.)", re.DOTALL)
_HINT = "docs/codes.md has the grammar; CHOTR1:{id}:{totp_timestamp_seconds}:{totp_value_0} is one"


class Found(msgspec.Struct, frozen=True):
    """What stands in a text at the placeholders. `stamp_ms` is since the Unix epoch."""

    object_id: str
    values: tuple[str, ...]
    stamp_ms: int | None


class _Part(msgspec.Struct, frozen=True):
    """A literal (`name` empty), or a placeholder that takes up to `longest` of `characters`."""

    name: str
    literal: str = ""
    characters: frozenset[str] = frozenset()
    shortest: int = 1
    longest: int = 0


class Pattern:
    """A compiled pattern.

    :param value_lengths: digits of the values 0, 1, ….
    :raises TrustError: if the pattern breaks the grammar, or has other values.
    """

    def __init__(self, text: str, value_lengths: tuple[int, ...]) -> None:
        if len(text) > MAX_PATTERN_LENGTH or not text.isascii() or not text.isprintable():
            raise _refused("is too long, or has characters that are not printable ASCII")
        self.text = text
        self._parts = [_part(match, value_lengths) for match in _PART.finditer(text)]
        self._values = [f"{_VALUE}{n}" for n in range(len(value_lengths))]
        self._check()
        # Possessive quantifiers (`+`): nothing is given back, so that reading stays linear.
        self._form = re.compile("".join(_expression(part) for part in self._parts), re.ASCII)

    def read(self, text: str) -> Found | None:
        """Return what the placeholders hold, or None where the text is not of this pattern.

        Linear in the text, never raises.
        """
        if len(text) > MAX_TEXT_LENGTH:
            return None
        found = self._form.fullmatch(text)
        if found is None:
            return None
        held = found.groupdict()
        return Found(held["id"], tuple([held[name] for name in self._values]), _stamp_ms(held))

    def filled(self, object_id: str) -> str:
        """Return the pattern with the id in place: a wallet's `valuePattern`."""
        return self.text.replace("{id}", object_id)

    def write(self, object_id: str, values: tuple[str, ...], stamp_ms: int) -> str:
        """Return the text of a code, as a wallet shows it at this time."""
        text = self.filled(object_id)
        text = text.replace("{totp_timestamp_seconds}", str(stamp_ms // 1000))
        text = text.replace("{totp_timestamp_millis}", str(stamp_ms))
        for name, value in zip(self._values, values, strict=True):
            text = text.replace(f"{{{name}}}", value)
        return text

    def _check(self) -> None:
        names = [part.name for part in self._parts if part.name]
        stamps = [name for name in names if name in _MAX_TIMESTAMP]
        if not self._parts or self._parts[0].name:
            raise _refused("does not begin with a text of its own")
        if names.count("id") != 1 or len(stamps) > 1:
            raise _refused("does not hold {id} once, and a timestamp at most once")
        if not 0 < len(self._values) <= MAX_VALUES:
            raise _refused("has no value, or too many")
        if sorted(name for name in names if name.startswith(_VALUE)) != self._values:
            raise _refused("does not hold each of its values once")
        for part, after in zip(self._parts, self._parts[1:], strict=False):
            if part.shortest != part.longest and part.name and not _ends(part, after):
                raise _refused("does not tell where the id or the timestamp ends")


def _part(match: re.Match[str], value_lengths: tuple[int, ...]) -> _Part:
    name, literal, stray = match.groups()
    if literal is not None:
        return _Part("", literal)
    if name == "id":
        return _Part(name, characters=_ID_CHARACTERS, longest=MAX_ID_LENGTH)
    if name in _MAX_TIMESTAMP:
        return _Part(name, characters=_DIGITS, longest=_MAX_TIMESTAMP[name])
    for n, length in enumerate(value_lengths[:MAX_VALUES]):
        if name == f"{_VALUE}{n}":
            return _Part(name, characters=_DIGITS, shortest=length, longest=length)
    why = "has a brace or a backslash out of place" if stray else f"has an unknown {{{name}}}"
    raise _refused(why)


def _ends(part: _Part, after: _Part) -> bool:
    """Return whether what follows cannot be taken for more of the part."""
    return bool(after.literal) and after.literal[0] not in part.characters


def _expression(part: _Part) -> str:
    if part.literal:
        return re.escape(part.literal)
    characters = "".join(re.escape(character) for character in sorted(part.characters))
    return f"(?P<{part.name}>[{characters}]{{{part.shortest},{part.longest}}}+)"


def _stamp_ms(held: dict[str, str]) -> int | None:
    if "totp_timestamp_millis" in held:
        return int(held["totp_timestamp_millis"])
    if "totp_timestamp_seconds" in held:
        return int(held["totp_timestamp_seconds"]) * 1000
    return None


def _refused(why: str) -> TrustError:
    return TrustError(f"the pattern {why}", hint=_HINT)
