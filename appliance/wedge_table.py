"""The table of one keyboard wedge."""

from __future__ import annotations

from typing import Annotated

import msgspec

from appliance.table import Name, Table
from scanner.wedge.layouts import LayoutName
from scanner.wedge.settings import WedgeEnd


class WedgeSourceTable(Table, frozen=True, tag="wedge", tag_field="kind"):
    """A barcode scanner that types as a keyboard: an input device, by its stable name.

    `layout` is the keyboard language that the scanner is set to, `line_end` what it types after
    each code. With `none` a silence of `gap_s` ends one: longer than the scanner's pause between
    two keys.
    """

    name: Name
    device: str
    layout: LayoutName = LayoutName.US
    line_end: WedgeEnd = WedgeEnd.ENTER
    gap_s: Annotated[float, msgspec.Meta(ge=0.02, le=5.0)] = 0.25
