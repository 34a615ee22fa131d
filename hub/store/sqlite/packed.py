"""Everybody as columns: SQLite puts each record together, and hands over thousands at a time.

A statement's row costs Python a microsecond, and there are tens of millions of them; a text of
thousands of numbers costs a hundredth of that for each, and while SQLite writes it, other threads
run.
"""

from __future__ import annotations

from datetime import timedelta

import aiosqlite
import numpy as np
from numpy.typing import NDArray

from admission.identity import IdentifierKind, domain_of
from admission.standing import CredentialStatus
from cache.replica.forms import BIRTH_YEAR_EPOCH, DATE_EPOCH, HOUR_EPOCH_H, FieldForm
from cache.replica.layout import PERSONS_3, BitField
from hub.store.packed import WORDS, PackedPeople, pack_people
from hub.store.sqlite import people

CHUNK = 8_192
"""People in one step."""
_WORD_BITS = 64
_SEPARATOR = b"\x1e"
_CODE_BITS = 3
_STATUS_MASK = 3
_MAX_SPAN = 1 << 40
"""Numbers of one step that are further apart than this leave no room for the rest of a code."""


async def read(
    raw: aiosqlite.Connection, after: int, limit: int = CHUNK
) -> tuple[PackedPeople, int] | None:
    """Return the next people by number, at most `limit`, and the last one's number.

    :raises LayoutError: if somebody's facts do not fit the layout.
    """
    last = await _last(raw, after, limit)
    if last is None:
        return None
    packed = await _columns(raw, after, last) if last - after < _MAX_SPAN else None
    if packed is None:
        # Something in here is not as columns expect it: read one by one it is taken, or refused
        # with its reason.
        packed = pack_people(await people.read(raw, after, limit))
    return packed, last


async def _last(raw: aiosqlite.Connection, after: int, limit: int) -> int | None:
    rows = await raw.execute_fetchall(
        "SELECT max(number) FROM"
        " (SELECT number FROM person WHERE number > ? ORDER BY number LIMIT ?)",
        (after, limit),
    )
    last = next(iter(rows))[0]
    return None if last is None else int(last)


async def _columns(raw: aiosqlite.Connection, after: int, last: int) -> PackedPeople | None:
    """Return the people in a range of numbers, None if the columns do not hold all of them."""
    facts = next(iter(await raw.execute_fetchall(_FACTS, (after, last))))
    known = next(iter(await raw.execute_fetchall(_IDENTIFIERS, (after, last))))
    count, unfit, numbers, *words = facts
    columns = [_integers(text) for text in (numbers, *words)]
    identifiers = known[1].split(_SEPARATOR) if known[0] else []
    codes = _integers(known[2])
    if unfit or any(len(column) != count for column in columns):
        return None
    if not len(identifiers) == len(codes) == known[0]:
        return None
    places = np.append(columns[0], -1)
    owners = np.searchsorted(columns[0], codes >> _CODE_BITS)
    if (places[owners] != codes >> _CODE_BITS).any():
        return None
    return PackedPeople(
        np.stack(columns[1:], axis=1).view(np.uint64),
        identifiers,
        owners,
        (codes & 1 << _CODE_BITS - 1) != 0,
        (codes & _STATUS_MASK).astype(np.uint8),
    )


def _integers(text: str | None) -> NDArray[np.int64]:
    return np.fromstring(text, np.int64, sep=",") if text else np.zeros(0, np.int64)


def _word(number: int) -> str:
    """Return the expression of one word of a record: null where a value has no meaning.

    Every shift is in brackets: SQLite gives `<<` and `|` the same precedence.
    """
    return " | ".join(
        f"(({_value(field)}) << {at - number * _WORD_BITS})"
        for at, field in _placed()
        if at // _WORD_BITS == number
    )


def _placed() -> list[tuple[int, BitField]]:
    at, placed = 0, []
    for field in PERSONS_3.fields:
        if field.name != "status":
            placed.append((at, field))
        at += field.bits
    return placed


def _value(field: BitField) -> str:
    name = field.name
    if field.form is FieldForm.DATE:
        days = f"CAST(julianday({name}) - julianday('{DATE_EPOCH}') AS INTEGER)"
        return f"CASE WHEN {name} IS NULL THEN 0 ELSE {days} END"
    if field.form is FieldForm.BIRTH_YEAR:
        return f"ifnull(substr({name}, 1, 4) - {BIRTH_YEAR_EPOCH}, 0)"
    if field.form is FieldForm.HOUR_OR_NONE:
        return f"ifnull({name} - {HOUR_EPOCH_H}, 0)"
    return name


def _unfit(field: BitField) -> str:
    """Return an expression that is zero where a column's value fits its field."""
    name, top = field.name, (1 << field.bits) - 1
    if field.form is FieldForm.DATE:
        last_day = DATE_EPOCH + timedelta(top)
        return f"ifnull({name} <= '{DATE_EPOCH}' OR {name} > '{last_day}', 0)"
    if field.form is FieldForm.BIRTH_YEAR:
        first, last = BIRTH_YEAR_EPOCH + 1, BIRTH_YEAR_EPOCH + top
        return f"ifnull({name} < '{first}-01-01' OR {name} > '{last}-12-31', 0)"
    if field.form is FieldForm.HOUR_OR_NONE:
        first, last = HOUR_EPOCH_H + 1, HOUR_EPOCH_H + top
        return f"ifnull({name} NOT BETWEEN {first} AND {last}, 0)"
    return f"{name} >> {field.bits} <> 0"


def _domain() -> str:
    cases = (f"WHEN '{kind.value}' THEN '{domain_of(kind).decode()}'" for kind in IdentifierKind)
    return f"CASE kind {' '.join(cases)} END"


def _code() -> str:
    """Return what is said of an identifier: whose, whether it is a further one, and its status."""
    known = " ".join(f"WHEN {int(s)} THEN {int(s)}" for s in CredentialStatus)
    owner, further = f"((person - ?1) << {_CODE_BITS})", f"((place > 0) << {_CODE_BITS - 1})"
    return f"{owner} | {further} | CASE status {known} END"


_FACTS = (
    f"SELECT count(*), max({' OR '.join(f'({_unfit(field)})' for _, field in _placed())}),"  # noqa: S608 constants
    f" group_concat(number - ?1), {', '.join(f'group_concat({_word(n)})' for n in range(WORDS))}"
    " FROM person WHERE number > ?1 AND number <= ?2"
)
_IDENTIFIERS = (
    f"SELECT count(*), CAST(group_concat({_domain()} || value, char(30)) AS BLOB),"  # noqa: S608 constants
    f" group_concat({_code()}) FROM identifier INDEXED BY identifier_by_person"
    " WHERE person > ?1 AND person <= ?2"
)
