"""Declared record layouts: how facts become fixed-width little-endian records.

A layout is a table of named bit fields, lowest bit first. Its id stands in every segment's header;
a layout is never changed, only succeeded by one with another id.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Generic, TypeVar

import msgspec

from admission.site import Place
from admission.standing import (
    Officer,
    Permit,
    PersonFacts,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from cache.errors import LayoutError
from cache.replica.alias import PERSON_BITS, Alias
from cache.replica.forms import HOURS_BITS, FieldForm, decoder, encoder

_STATUS, _DATE, _HOUR, _DISTRICT = 2, 13, 18, 14
"""Widths that several layouts share: dates to 2042-06-04, hours to 2049-11-26, district codes."""
PLACE_BITS = 15
"""Room for kinds of place: as many as there are (`site.Place`), and a few to come."""


Record = TypeVar("Record", bound=msgspec.Struct)
"""What the rows of one layout say."""


class BitField(msgspec.Struct, frozen=True):
    """One field: the attribute of the record that it holds, and how many bits it takes."""

    name: str
    bits: int
    form: FieldForm


class Group(msgspec.Struct, frozen=True):
    """Bits of a record that are coded together and change together.

    `word` counts 64-bit little-endian words of the record, `shift` the bits below the group in its
    word. The one group of a layout that declares none is the whole record, however long.
    """

    word: int
    shift: int
    bits: int


class Layout(Generic[Record]):
    """One declared layout over a record type. `record_bytes` is the width of a packed record.

    `groups` are in the order of their bits and leave none out. A layout that declares how many
    bits each has is *coded*: segments hold its records as codes, all groups but the last in tables.

    The fields name the type's own from its first on, in any order; those that they leave out have
    their defaults. Where they do not fill the last byte, its highest bits are zero.

    :raises LayoutError: if the fields do not name the record's, or the groups split a field.
    """

    def __init__(
        self,
        layout_id: int,
        record: type[Record],
        fields: tuple[BitField, ...],
        group_bits: tuple[int, ...] = (),
    ) -> None:
        self.id = layout_id
        self.record = record
        self.fields = fields
        names = record.__struct_fields__[: len(fields)]
        unnamed = len(record.__struct_fields__) - len(names)
        if {f.name for f in fields} != set(names) or unnamed > len(record.__struct_defaults__):
            msg = f"layout {layout_id} does not name the fields of its record"
            raise LayoutError(msg)
        self._bits = sum(f.bits for f in fields)
        self.record_bytes = -(-self._bits // 8)
        self.coded = bool(group_bits)
        self.groups = self._grouped(group_bits or (self._bits,))
        places: dict[str, tuple[int, BitField]] = {}
        shift = 0
        for field in fields:
            places[field.name] = (shift, field)
            shift += field.bits
        self._encoders = tuple((s, f.name, f.bits, encoder(f.form)) for s, f in places.values())
        # In the order of the record's own fields: it is made from positional arguments.
        self._decoders = tuple(
            (places[name][0], (1 << places[name][1].bits) - 1, decoder(places[name][1].form))
            for name in names
        )

    def _grouped(self, group_bits: tuple[int, ...]) -> tuple[Group, ...]:
        ends = list(accumulate(group_bits))
        borders = set(accumulate(field.bits for field in self.fields))
        sizes = zip(ends, group_bits, strict=True)
        groups = tuple(Group(*divmod(end - bits, 64), bits) for end, bits in sizes)
        split = self.coded and any(group.shift + group.bits > 64 for group in groups)
        if split or not borders.issuperset(ends) or ends[-1] != self._bits:
            msg = f"layout {self.id} has groups that split a field or a word, or leave bits out"
            raise LayoutError(msg)
        return groups

    def pack(self, record: Record) -> bytes:
        """Return the packed record, `record_bytes` long.

        :raises LayoutError: if a value does not fit its field; nothing is cut or saturated.
        """
        packed = 0
        for shift, name, bits, encode in self._encoders:
            value = encode(getattr(record, name))
            if value < 0 or value >> bits:
                msg = f"{name} {getattr(record, name)!s} does not fit layout {self.id}"
                raise LayoutError(msg, hint="correct the row, or publish with a wider layout")
            packed |= value << shift
        return packed.to_bytes(self.record_bytes, "little")

    def unpack(self, packed: bytes) -> Record:
        """Return what one packed record says.

        :raises LayoutError: if a field holds a value that this version has no meaning for.
        """
        bits = int.from_bytes(packed, "little")
        if bits >> self._bits:
            raise self._unknown()
        try:
            return self.record(*[decode(bits >> s & mask) for s, mask, decode in self._decoders])
        except (LookupError, ValueError) as error:
            raise self._unknown() from error

    def _unknown(self) -> LayoutError:
        msg = f"a record of layout {self.id} holds an unknown value"
        return LayoutError(msg, hint="update this appliance")


PERSONS_1 = Layout(
    1,
    PersonFacts,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("doses", 4, FieldForm.NUMBER),
        BitField("product", 4, FieldForm.PRODUCT),
        BitField("vulnerable", 1, FieldForm.FLAG),
        BitField("last_dose", _DATE, FieldForm.DATE),
        BitField("recovered", _DATE, FieldForm.DATE),
        BitField("isolation_until", _DATE, FieldForm.DATE),
        BitField("born", 16, FieldForm.BIRTH),
        BitField("district", _DISTRICT, FieldForm.NUMBER),
    ),
)
"""Ten bytes: dates to 2042-06-04, births to 2079-06-06, districts to 16,383, doses to 15."""

PERSONS_2 = Layout(
    2,
    PersonFacts,
    (
        *PERSONS_1.fields,
        BitField("tested_h", _HOUR, FieldForm.HOUR_OR_NONE),
        BitField("test_result", 2, FieldForm.TEST_RESULT),
        BitField("declared_h", _HOUR, FieldForm.HOUR_OR_NONE),
        BitField("symptoms", 1, FieldForm.FLAG),
        BitField("exposure", 1, FieldForm.FLAG),
        BitField("identity", 16, FieldForm.NUMBER),
    ),
)
"""Seventeen bytes: layout 1, and the test, the health declaration and the identity digest."""

PERSONS_3 = Layout(
    8,
    PersonFacts,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("vulnerable", 1, FieldForm.FLAG),
        BitField("isolation_until", _DATE, FieldForm.DATE),
        BitField("district", _DISTRICT, FieldForm.NUMBER),
        BitField("doses", 4, FieldForm.NUMBER),
        BitField("product", 4, FieldForm.PRODUCT),
        BitField("last_dose", _DATE, FieldForm.DATE),
        BitField("recovered", _DATE, FieldForm.DATE),
        BitField("born", 8, FieldForm.BIRTH_YEAR),
        BitField("tested_h", _HOUR, FieldForm.HOUR_OR_NONE),
        BitField("test_result", 2, FieldForm.TEST_RESULT),
        BitField("declared_h", _HOUR, FieldForm.HOUR_OR_NONE),
        BitField("symptoms", 1, FieldForm.FLAG),
        BitField("exposure", 1, FieldForm.FLAG),
        BitField("identity", 16, FieldForm.NUMBER),
    ),
    group_bits=(30, 21, 13, 8, 20, 20, 16),
)
"""Sixteen bytes, two words without a field across them. Of the birth date it keeps the year.

Its groups: residence, vaccination, recovery, birth, test, declaration, identity.
"""

CREDENTIALS_1 = Layout(
    3,
    Withdrawal,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("not_before_h", _HOUR, FieldForm.HOUR_OR_NONE),
    ),
)
"""Three bytes."""

PERMITS_1 = Layout(
    4,
    Permit,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("from_h", _HOUR, FieldForm.HOUR),
        BitField("until_h", _HOUR, FieldForm.HOUR),
        BitField("places", PLACE_BITS, FieldForm.NUMBER),
        BitField("district", _DISTRICT, FieldForm.NUMBER),
        BitField("hours", HOURS_BITS, FieldForm.HOURS),
    ),
)
"""Twelve bytes. A person's permits have a row each (`admission.identity.permit_keys`)."""

ROSTER_1 = Layout(
    5,
    RosterEntry,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("first_day", _DATE, FieldForm.DATE),
        BitField("last_day", _DATE, FieldForm.DATE),
        BitField("shift", HOURS_BITS, FieldForm.HOURS),
    ),
)
"""Eight bytes."""

WATCH_1 = Layout(
    6,
    WatchEntry,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("until", _DATE, FieldForm.DATE),
    ),
)
"""Two bytes."""

OFFICERS_1 = Layout(
    7,
    Officer,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("number", 27, FieldForm.NUMBER),
        BitField("last_day", _DATE, FieldForm.DATE),
        BitField("district", _DISTRICT, FieldForm.NUMBER),
    ),
)
"""Seven bytes: numbers of up to eight digits."""

ALIASES_1 = Layout(
    9,
    Alias,
    (
        BitField("status", _STATUS, FieldForm.STATUS),
        BitField("person", PERSON_BITS, FieldForm.NUMBER),
    ),
)
"""Eight bytes."""

LAYOUTS: dict[int, Layout[Any]] = {
    layout.id: layout
    for layout in (
        PERSONS_1,
        PERSONS_2,
        PERSONS_3,
        ALIASES_1,
        CREDENTIALS_1,
        PERMITS_1,
        ROSTER_1,
        WATCH_1,
        OFFICERS_1,
    )
}

if len(Place) > PLACE_BITS:
    raise LayoutError("there are more kinds of place than a permit has bits for")


def layout_of(layout_id: int) -> Layout[Any]:
    """Return the layout with this id.

    :raises LayoutError: if this version does not know it.
    """
    try:
        return LAYOUTS[layout_id]
    except KeyError:
        msg = f"record layout {layout_id} is unknown here"
        raise LayoutError(msg, hint="update this appliance") from None
