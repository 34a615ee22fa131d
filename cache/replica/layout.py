"""Declared record layouts: how facts become fixed-width little-endian records.

A layout is a table of named bit fields, lowest bit first. Its id stands in every segment's header;
a layout is never changed, only succeeded by one with another id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from admission.standing import CredentialStatus, PersonFacts, Product
from cache.errors import LayoutError

DATE_EPOCH = date(2019, 12, 31)
"""Day 0 of `FieldForm.DATE`: day 1 is 2020-01-01."""
BIRTH_EPOCH = date(1899, 12, 31)
"""Day 0 of `FieldForm.BIRTH`: day 1 is 1900-01-01."""


class FieldForm(StrEnum):
    """How a field's unsigned integer is read."""

    NUMBER = "number"
    FLAG = "flag"
    STATUS = "status"
    PRODUCT = "product"
    DATE = "date"
    """Days since `DATE_EPOCH`; 0 = none."""
    BIRTH = "birth"
    """Days since `BIRTH_EPOCH`; 0 = none."""


class BitField(msgspec.Struct, frozen=True):
    """One field: the attribute of the facts that it holds, and how many bits it takes."""

    name: str
    bits: int
    form: FieldForm


_EPOCHS = {FieldForm.DATE: DATE_EPOCH, FieldForm.BIRTH: BIRTH_EPOCH}
_ENUMS: dict[FieldForm, type[IntEnum]] = {
    FieldForm.STATUS: CredentialStatus,
    FieldForm.PRODUCT: Product,
}


class Layout:
    """One declared layout over `PersonFacts`. `record_bytes` is the width of a packed record."""

    def __init__(self, layout_id: int, fields: tuple[BitField, ...]) -> None:
        self.id = layout_id
        self.fields = fields
        bits = sum(f.bits for f in fields)
        names = PersonFacts.__struct_fields__[: len(fields)]
        if bits % 8 or {f.name for f in fields} != set(names):
            msg = f"layout {layout_id} does not fill whole bytes or skips a fact"
            raise LayoutError(msg)
        self.record_bytes = bits // 8
        places: dict[str, tuple[int, BitField]] = {}
        shift = 0
        for field in fields:
            places[field.name] = (shift, field)
            shift += field.bits
        self._encoders = tuple((s, f.name, f.bits, _encoder(f)) for s, f in places.values())
        # In the order of the facts' own fields, so that a record decodes to positional arguments.
        self._decoders = tuple(
            (places[name][0], (1 << places[name][1].bits) - 1, _decoder(places[name][1].form))
            for name in names
        )

    def pack(self, facts: PersonFacts) -> bytes:
        """Return the record, `record_bytes` long.

        :raises LayoutError: if a fact does not fit its field; nothing is cut or saturated.
        """
        packed = 0
        for shift, name, bits, encode in self._encoders:
            fact = getattr(facts, name)
            value = encode(fact)
            if value < 0 or value >> bits:
                msg = f"{name} {fact!s} does not fit layout {self.id}"
                raise LayoutError(msg, hint="correct the row, or publish with a wider layout")
            packed |= value << shift
        return packed.to_bytes(self.record_bytes, "little")

    def unpack(self, record: bytes) -> PersonFacts:
        """Return the facts of one record.

        :raises LayoutError: if a field holds a value that this version has no meaning for.
        """
        packed = int.from_bytes(record, "little")
        try:
            return PersonFacts(*[d(packed >> s & mask) for s, mask, d in self._decoders])
        except LookupError as error:
            msg = f"a record of layout {self.id} holds an unknown value"
            raise LayoutError(msg, hint="update this appliance") from error


def _encoder(field: BitField) -> Callable[[Any], int]:
    epoch = _EPOCHS.get(field.form)
    if epoch is None:
        return int
    origin = epoch.toordinal()

    def days(day: date | None) -> int:
        if day is None:
            return 0
        # Day 0 means none: the epoch itself is out of range, as is every day before it.
        return day.toordinal() - origin or -1

    return days


class _Days(dict[int, date | None]):
    """Dates by day number, each made when first met: a third of the cost of making it anew."""

    def __init__(self, origin: int) -> None:
        super().__init__({0: None})
        self._origin = origin

    def __missing__(self, days: int) -> date:
        day = self[days] = date.fromordinal(self._origin + days)
        return day


def _decoder(form: FieldForm) -> Callable[[int], Any]:
    # Look-ups rather than calls: this runs for every person at the gate.
    if form is FieldForm.FLAG:
        return (False, True).__getitem__
    if form in _ENUMS:
        return {member.value: member for member in _ENUMS[form]}.__getitem__
    if form in _EPOCHS:
        return _Days(_EPOCHS[form].toordinal()).__getitem__
    return int


PERSONS_1 = Layout(
    1,
    (
        BitField("status", 2, FieldForm.STATUS),
        BitField("doses", 4, FieldForm.NUMBER),
        BitField("product", 4, FieldForm.PRODUCT),
        BitField("vulnerable", 1, FieldForm.FLAG),
        BitField("last_dose", 13, FieldForm.DATE),
        BitField("recovered", 13, FieldForm.DATE),
        BitField("isolation_until", 13, FieldForm.DATE),
        BitField("born", 16, FieldForm.BIRTH),
        BitField("district", 14, FieldForm.NUMBER),
    ),
)
"""Ten bytes: dates to 2042-06-04, births to 2079-06-06, districts to 16,383, doses to 15."""

LAYOUTS = {PERSONS_1.id: PERSONS_1}


def layout_of(layout_id: int) -> Layout:
    """Return the layout with this id.

    :raises LayoutError: if this version does not know it.
    """
    try:
        return LAYOUTS[layout_id]
    except KeyError:
        msg = f"record layout {layout_id} is unknown here"
        raise LayoutError(msg, hint="update this appliance") from None
