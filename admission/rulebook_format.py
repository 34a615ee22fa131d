"""The JSON form of a rulebook, `chot-rulebook/1`, as `rulebook` documents it: shape and limits."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from admission.errors import RulebookError
from admission.site import Place
from admission.verdict import Card, Text

FORMAT = "chot-rulebook/1"
MAX_RULEBOOK_BYTES = 256 * 1024

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
TermName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300)]
Hours = Annotated[int, Meta(ge=1, le=366 * 24)]
Directive = Annotated[int, Meta(ge=1, le=9_999)]
Counter = Literal["refer", "refuse"]


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the file in which an unknown key is an error: a typing mistake must not be law."""


class TextForm(_Form, frozen=True):
    """One text in both languages."""

    vi: Sentence
    en: Sentence

    def text(self) -> Text:
        """Return the text as the law holds it."""
        return Text(self.vi, self.en)


class CourseForm(_Form, frozen=True):
    """What a full course of one product is."""

    doses: Annotated[int, Meta(ge=1, le=10)]
    waiting_days: Annotated[int, Meta(ge=0, le=365)]


class TermForm(_Form, frozen=True):
    """A named condition. `when` is CertLogic, checked where it is compiled."""

    name: TermName
    when: Any


class CardForm(_Form, frozen=True):
    """A rule that gives a card."""

    card: Card
    when: Any


class AccessForm(_Form, frozen=True):
    """What one card opens under one directive."""

    directive: Directive
    card: Card
    places: Annotated[list[Place], Meta(min_length=1, max_length=64)]
    condition: TextForm | None = None


class RulebookForm(_Form, frozen=True):
    """The file as it was written, every key and value in its range."""

    format: Literal["chot-rulebook/1"]
    id: Name
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    title: TextForm
    replica_max_age_h: Hours
    products: Annotated[dict[str, CourseForm], Meta(max_length=64)]
    cards: Annotated[list[CardForm], Meta(min_length=1, max_length=16)]
    access: Annotated[list[AccessForm], Meta(min_length=1, max_length=1_024)]
    no_card: dict[Place, Counter]
    no_record: dict[Place, Counter]
    terms: Annotated[list[TermForm], Meta(max_length=32)] = []


_decode = msgspec.json.Decoder(RulebookForm).decode
_AT = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$")


def read(data: bytes) -> RulebookForm:
    """Return the rulebook's form.

    :raises RulebookError: if the file is too large, no JSON, or wrong in a key or value; the hint
        names the JSON path of what is wrong.
    """
    if len(data) > MAX_RULEBOOK_BYTES:
        msg = f"a rulebook has at most {MAX_RULEBOOK_BYTES} bytes, not {len(data)}"
        raise RulebookError(msg, hint="split it by district")
    try:
        return _decode(data)
    except msgspec.ValidationError as error:
        found = _AT.search(str(error))
        path = found.group(1) if found else "$"
        msg = f"the rulebook is wrong at {path}: {_AT.sub('', str(error))}"
        raise RulebookError(msg, hint=f"see {path}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"the rulebook is not JSON: {error}"
        raise RulebookError(msg, hint="check the file with a JSON editor") from error
