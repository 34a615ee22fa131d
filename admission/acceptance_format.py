"""The JSON of countries' business rules and their value sets: shape and limits."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from admission.errors import RulebookError, RuleError

MAX_BYTES = 4 << 20

_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})", re.ASCII)

Version = tuple[int, int, int]


class CertificateType(StrEnum):
    """The certificates that a rule is about."""

    GENERAL = "General"
    VACCINATION = "Vaccination"
    TEST = "Test"
    RECOVERY = "Recovery"


class Description(msgspec.Struct, frozen=True):
    """What a rule says, in one language."""

    lang: Annotated[str, Meta(max_length=16)]
    desc: Annotated[str, Meta(min_length=1, max_length=2_000)]


class RuleForm(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """A rule as it was written. `AffectedFields` only helps people and is not looked at."""

    identifier: Annotated[str, Meta(pattern=r"^(?:GR|VR|TR|RR|IR)-[A-Z]{2}-[0-9]{4}\Z")]
    type: Literal["Acceptance", "Invalidation"]
    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
    version: str
    schema_version: str
    engine: Literal["CERTLOGIC"]
    engine_version: str
    certificate_type: CertificateType
    description: Annotated[list[Description], Meta(min_length=1, max_length=64)]
    valid_from: datetime
    valid_to: datetime
    affected_fields: list[str]
    logic: Any
    region: str = ""


def load_value_sets(data: bytes) -> dict[str, list[str]]:
    """Return lists of codes by name.

    Two forms are read: `{name: [code, …]}`, as rules' tests have them, and a list of the EU's value
    sets, `{"valueSetId", "valueSetValues": {code: …}}`.

    :raises RulebookError: if it is neither.
    """
    content = _json(data)
    match content:
        case dict():
            found = content
        case [*value_sets]:
            found = {}
            for value_set in value_sets:
                match value_set:
                    case {"valueSetId": str(name), "valueSetValues": dict(values)}:
                        found[name] = list(values)
                    case _:
                        raise RulebookError("a value set has no valueSetId or valueSetValues")
        case _:
            raise RulebookError("value sets are an object or a list")
    try:
        return msgspec.convert(found, dict[str, list[str]])
    except msgspec.ValidationError as error:
        msg = f"the value sets are wrong: {error}"
        raise RulebookError(msg, hint="each is a list of codes") from error


def version(text: str) -> Version:
    """Return a version's three numbers.

    :raises RuleError: if it has another form.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        msg = f"{text[:32]!r} is not a version of three numbers"
        raise RuleError(msg)
    return int(found[1]), int(found[2]), int(found[3])


def json_list(data: bytes) -> list[Any]:
    """Return the array of a JSON document.

    :raises RulebookError: if it is none, or too large.
    """
    content = _json(data)
    if not isinstance(content, list):
        raise RulebookError("acceptance rules are a list", hint='[{"Identifier": …}, …]')
    return content


def _json(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        msg = f"acceptance rules have at most {MAX_BYTES} bytes, not {len(data)}"
        raise RulebookError(msg, hint="leave out rules whose time is over")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"the acceptance rules are not JSON: {error}"
        raise RulebookError(msg, hint="check the file with a JSON editor") from error
