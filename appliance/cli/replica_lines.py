"""What the replica's commands print, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from appliance.printable import printable

_NS = 1_000_000_000
_LOOKUP = {
    "found": "on record",
    "not_found": "not on record",
    "unreadable": "cannot be told: what would hold the answer is damaged",
    "no_replica": "cannot be told: no release was ever activated here",
    "nothing_to_look_up": "that names nobody",
}
_WORDS = {"None": "-", "True": "yes", "False": "no"}


def status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a status (`ReplicaStatus` in plain values) in lines."""
    yield "the daemon runs" if found["daemon"] else "no daemon runs; this is what lies on the disk"
    if found["sequence"] is None:
        yield "no release is here: nobody can be judged until one is fetched or imported"
    else:
        yield f"release {found['sequence']}, vouched for at {moment(found['issued_ns'])}"
        yield f"counts until {moment(found['expires_ns'])}"
        for kind, rows in found["datasets"].items():
            yield f"  {kind:<12} {rows:>12,} rows"
        yield f"  {'documents':<12} {found['documents']:>12,}"
    for name, what in (
        ("missing", "files that the release names are not here"),
        ("damaged_pages", "pages are damaged: their look-ups answer nothing"),
        ("unreadable_lookups", "look-ups could not be answered since the start"),
    ):
        if found.get(name):
            yield f"{found[name]:,} {what}"
    for name, what in (
        ("trust_error", "whom to believe could not be looked after"),
        ("merge_error", "the base to come could not be made"),
        ("documents_error", "a document could not be taken in"),
    ):
        if found.get(name):
            yield f"{what}: {printable(found[name])}"
    if found["last_error"]:
        yield f"last round: {printable(found['last_error'])}"
        if found["last_error_hint"]:
            yield f"  → {printable(found['last_error_hint'])}"


def standing_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a standing (`enquiries.described`) in lines."""
    yield _LOOKUP[found["lookup"]]
    if found["withdrawn"]:
        yield "withdrawn: a pass or certificate of this number no longer counts"
    release = found["release"]
    if release is not None:
        yield f"release {release['sequence']}, vouched for at {moment(release['vouched_ns'])}"
    if found["facts"] is not None:
        yield from _fields(found["facts"])
    for permit in found["permits"]:
        yield "permit"
        yield from _fields(permit)
    for name in ("roster", "watch", "officer"):
        if found[name] is not None:
            yield name
            yield from _fields(found[name])
    if found["unreadable"]:
        yield f"not readable: {', '.join(found['unreadable'])}"


def moment(wall_ns: int) -> str:
    """Return a wall time as people read it, to the second, in UTC."""
    return datetime.fromtimestamp(wall_ns // _NS, UTC).isoformat(sep=" ").replace("+00:00", "Z")


def _fields(entry: Mapping[str, Any]) -> Iterator[str]:
    for name, value in entry.items():
        shown = (
            ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else value
        )
        yield f"  {name:<16} {_WORDS.get(str(shown), shown)}"
