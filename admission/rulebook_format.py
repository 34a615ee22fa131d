"""The JSON form of a rulebook, `chot-rulebook/1`, as `rulebook` documents it: shape and limits."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from admission.credential import CredentialKind, PassKind
from admission.errors import RulebookError
from admission.rulebook_hints import MANUAL, explained
from admission.site import Place
from admission.verdict import Card, Outcome, Reason, Text

FORMAT = "chot-rulebook/1"
MAX_RULEBOOK_BYTES = 256 * 1024

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
TermName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300)]
Hours = Annotated[int, Meta(ge=1, le=366 * 24)]
Directive = Annotated[int, Meta(ge=1, le=9_999)]
DistrictCode = Annotated[int, Meta(ge=1, le=99_999)]
Places = Annotated[list[Place], Meta(min_length=1, max_length=64)]
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
    places: Places
    condition: TextForm | None = None


class EffectiveForm(_Form, frozen=True):
    """When the rulebook is in force: from a moment on, and before another one or for good."""

    starts: Annotated[datetime, Meta(tz=True)] = msgspec.field(name="from")
    ends: Annotated[datetime, Meta(tz=True)] | None = msgspec.field(name="until", default=None)


class RequirementForm(_Form, frozen=True):
    """What these places ask for beside the card."""

    needs: Literal["declaration", "test", "permit", "roster"]
    places: Places
    directives: Annotated[list[Directive], Meta(min_length=1, max_length=64)] | None = None
    max_age_h: Hours | None = None


class PassForm(_Form, frozen=True):
    """Places where a kind of pass stands in for the card, the record and the roster."""

    kind: Literal["permit", "visitor"]
    places: Places
    directives: Annotated[list[Directive], Meta(min_length=1, max_length=64)] | None = None


class AntiPassbackForm(_Form, frozen=True):
    """The window in which a credential passes once in one direction, and for whom it is not so."""

    window_s: Annotated[int, Meta(ge=0, le=7 * 86_400)]
    except_kinds: Annotated[list[CredentialKind], Meta(max_length=32)] = []
    except_passes: Annotated[list[PassKind], Meta(max_length=8)] = []
    except_places: Annotated[list[Place], Meta(max_length=64)] = []


class WordsForm(_Form, frozen=True):
    """An authority's own words for one reason."""

    sentence: TextForm
    next_step: TextForm


class CertificatesForm(_Form, frozen=True):
    """Country rules that certificates must pass, and the card that they then give.

    Without `gives` the card comes from the same rules as a record's, by the certificate's facts.
    `value_sets` are lists of codes by name, or the EU's own value sets.
    """

    rules: Annotated[list[Any], Meta(max_length=256)] = []
    value_sets: Any = {}
    gives: Literal["green", "yellow"] | None = None


class ExampleForm(_Form, frozen=True):
    """One case that the authority worked out: `chot rulebook test` holds the rulebook to it.

    `facts` and `situation` are read by `rulebook_examples`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    expect: Outcome
    facts: dict[str, Any] = {}
    situation: dict[str, Any] = {}
    reason: Reason | None = None
    card: Card | None = None


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
    effective: EffectiveForm | None = None
    districts: Annotated[list[DistrictCode], Meta(max_length=1_024)] = []
    requirements: Annotated[list[RequirementForm], Meta(max_length=256)] = []
    passes: Annotated[list[PassForm], Meta(max_length=64)] = []
    anti_passback: AntiPassbackForm | None = None
    certificates: CertificatesForm = CertificatesForm()
    texts: Annotated[dict[Reason, WordsForm], Meta(max_length=128)] = {}
    examples: Annotated[list[ExampleForm], Meta(max_length=1_024)] = []


_decode = msgspec.json.Decoder(RulebookForm).decode


def read(data: bytes) -> RulebookForm:
    """Return the rulebook's form.

    :raises RulebookError: if the file is too large, no JSON, or wrong in a key or value; the
        message names the JSON path of what is wrong, the hint what may stand there.
    """
    if len(data) > MAX_RULEBOOK_BYTES:
        msg = f"a rulebook has at most {MAX_RULEBOOK_BYTES} bytes, not {len(data)}"
        raise RulebookError(msg, hint="split it by district")
    try:
        form = _decode(data)
        json.loads(data, object_pairs_hook=_once)
    except msgspec.ValidationError as error:
        path, text, hint = explained(error, RulebookForm)
        raise wrong(text, path, hint) from error
    except (ValueError, RecursionError) as error:
        msg = f"the rulebook is not JSON: {error}"
        raise RulebookError(msg, hint="check the file with a JSON editor") from error
    return form


def wrong(message: str, path: str, hint: str = MANUAL) -> RulebookError:
    """Return the error of what is wrong at a JSON path, and what to do about it."""
    return RulebookError(f"the rulebook is wrong at {path}: {message}", hint=hint)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: of two laws a parser would silently take the last."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        msg = f"the key {twice[:64]!r} stands twice in one object"
        raise RulebookError(msg, hint="keep the one that is meant")
    return members
