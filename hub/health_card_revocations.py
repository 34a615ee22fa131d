"""Revocation lists of SMART Health Cards, as issuers publish them.

`<iss>/.well-known/crl/<kid>.json` is `{"kid", "method": "rid", "ctr", "rids": ["<rid>",
"<rid>.<seconds>", …]}` (SMART Health Cards Framework, Revocation). A rid withdraws every card that
bears it, `rid.seconds` those that were issued before that time.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hub.errors import HubError
from hub.issuers import Step, read_bounded

COLUMNS = ("kind", "number", "issued_before")
"""The columns of a list of withdrawals that these lists fill."""

_RID = re.compile(r"([A-Za-z0-9_-]{1,24})(?:\.([0-9]{1,11}))?", re.ASCII)


class _Form(msgspec.Struct, frozen=True):
    kid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    method: Literal["rid"]
    ctr: int
    rids: list[str]


class Revoked(msgspec.Struct, frozen=True):
    """`kid/rid` → issued before which second its cards are withdrawn, None = all of them."""

    cards: Mapping[str, int | None]
    refused: tuple[str, ...]


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Return the lists that paths name: files, and in folders every `crl/*.json`.

    :raises HubError: if a folder holds none.
    """
    files: list[Path] = []
    for path in paths:
        found = sorted(path.rglob("crl/*.json")) if path.is_dir() else [path]
        if not found:
            msg = f"{path} holds no revocation list"
            raise HubError(msg, hint="a mirror holds <host>/<path>/.well-known/crl/<kid>.json")
        files += found
    return files


def revoked_in(files: Iterable[Path], step: Step = lambda: None) -> Revoked:
    """Return what the lists withdraw. What is wrong in one is named, and the rest of it counts.

    :param step: called after each file.
    """
    cards: dict[str, int | None] = {}
    refused: list[str] = []
    for file in files:
        try:
            form = _read(file)
        except HubError as error:
            refused.append(f"{file}: {error}")
        else:
            _add(form, file, cards, refused)
        step()
    return Revoked(cards, tuple(refused))


def withdrawals_csv(revoked: Revoked) -> bytes:
    """Return the withdrawals as CSV, for the register of withdrawn credentials."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, before_s in sorted(revoked.cards.items()):
        writer.writerow(("health_card_rid", number, "" if before_s is None else _hour(before_s)))
    return text.getvalue().encode("ascii")


def _hour(second: int) -> str:
    """Return the full hour at or after a second: the register counts in hours, on the safe side."""
    moment = datetime.fromtimestamp(-(-second // 3_600) * 3_600, UTC)
    return moment.isoformat(timespec="minutes")


def _read(file: Path) -> _Form:
    try:
        return msgspec.json.decode(read_bounded(file), type=_Form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"not a revocation list: {error}"
        raise HubError(msg) from error


def _add(form: _Form, file: Path, cards: dict[str, int | None], refused: list[str]) -> None:
    for rid in form.rids:
        found = _RID.fullmatch(rid)
        if found is None:
            refused.append(f"{file}: {rid[:64]!r} is not a rid of at most 24 base64url characters")
            continue
        number = f"{form.kid}/{found[1]}"
        before_s = None if found[2] is None else int(found[2])
        known = cards.get(number, 0)
        both = None in (known, before_s)
        cards[number] = None if both else max(known or 0, before_s or 0)
