"""What the tables of a configuration have in common."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, get_args, get_origin

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""


def unknown_keys(value: Any, form: Any, at: str = "") -> list[tuple[str, str]]:
    """Return each key of a parsed `value` that its `form` does not have, with a suggestion."""
    if isinstance(value, list):
        inner = next((a for a in get_args(_bare(form)) if a is not Ellipsis), None)
        return [k for i, v in enumerate(value) for k in unknown_keys(v, inner, f"{at}[{i}]")]
    table = _table_for(value, _bare(form))
    if table is None:
        return []
    fields = {f.encode_name: f.type for f in msgspec.structs.fields(table)}
    tag = table.__struct_config__.tag_field
    found = []
    for key, inside in value.items():
        here = f"{at}.{key}" if at else key
        if key in fields:
            found += unknown_keys(inside, fields[key], here)
        elif key != tag:
            close = difflib.get_close_matches(key, fields, n=1)
            found.append((here, f"did you mean '{close[0]}' instead of '{key}'?" if close else ""))
    return found


def _bare(form: Any) -> Any:
    return get_args(form)[0] if get_origin(form) is Annotated else form


def _table_for(value: Any, form: Any) -> type[msgspec.Struct] | None:
    if not isinstance(value, dict):
        return None
    for option in get_args(form) or (form,):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            settings = option.__struct_config__
            if settings.tag is None or value.get(settings.tag_field) == settings.tag:
                return option
    return None
