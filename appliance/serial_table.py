"""The table of one serial scanner, what in it contradicts itself, and the source that it makes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec

from admission.reading import Reading
from appliance.table import Name, Table
from scanner.errors import FramingError
from scanner.serial.line import LineEnd, LineSettings
from scanner.serial.profiles import PROFILES, Capability, Framing, Profile
from scanner.serial.source import SerialSource

ProfileName = Literal[
    "generic",
    "honeywell",
    "zebra-ssi",
    "newland",
    "datalogic",
    "datalogic-gryphon",
    "gm65",
    "de2120",
]
Baud = Annotated[int, msgspec.Meta(ge=1200, le=3_000_000)]
Affix = Annotated[str, msgspec.Meta(pattern="^[\\x00-\\xff]*$", max_length=16)]
TRIGGER_EVERY_S = 1.0
"""A read that the host began ends after some seconds without a code: this is below all of them."""
MIN_GAP_BITS = 40
"""Four characters: what a UART may pause within a text."""
Silence = Annotated[float, msgspec.Meta(ge=0.001, le=60)]


class SerialSourceTable(Table, frozen=True, tag="serial", tag_field="kind"):
    r"""A barcode scanner on a serial port, by its stable name.

    What is not set is as the profile has it. `prefix` and `suffix` are bytes, one a character:
    `"\u0002"` is STX. `gap_s` is the silence that ends a text under `line_end = "gap"`. `trigger`
    is "host" for a scanner that reads only when it is told to.
    """

    name: Name
    port: str
    baud: Baud | None = None
    profile: ProfileName = "generic"
    line_end: LineEnd | None = None
    prefix: Affix = ""
    suffix: Affix = ""
    gap_s: Silence | None = None
    aim_identifiers: bool = True
    feedback: bool = True
    set_up: bool = True
    trigger: Literal["scanner", "host"] = "scanner"

    def __post_init__(self) -> None:
        try:
            line_settings(self)
        except FramingError as error:
            msg = f"{error}: {error.hint}"
            raise ValueError(msg) from error


def profile_of(table: SerialSourceTable) -> Profile:
    """Return the profile that a table names."""
    return PROFILES[table.profile]


def baud_of(table: SerialSourceTable) -> int:
    """Return the baud rate at which a table's port is opened."""
    return profile_of(table).baud if table.baud is None else table.baud


def line_settings(table: SerialSourceTable) -> LineSettings:
    """Return how the texts of a table's scanner are framed.

    :raises FramingError: if it contradicts itself; a table that exists does not.
    """
    line = profile_of(table).line
    return LineSettings(
        end=line.end if table.line_end is None else table.line_end,
        aim_identifiers=table.aim_identifiers,
        gap_s=line.gap_s if table.gap_s is None else table.gap_s,
        abandon_s=line.abandon_s,
        prefix=table.prefix.encode("latin-1"),
        suffix=table.suffix.encode("latin-1"),
    )


def contradictions(table: SerialSourceTable) -> Iterator[tuple[str, str, str]]:
    """Yield what in a table has no effect or defeats another key: the key, what, and the remedy."""
    profile, settings = profile_of(table), line_settings(table)
    if profile.framing is Framing.SSI and table.line_end is not None:
        yield (
            "line_end",
            f"profile '{table.profile}' sends packets, which have no line end",
            "remove line_end, or set the scanner to plain RS-232 and use another profile",
        )
    elif table.gap_s is not None and settings.end is not LineEnd.GAP:
        yield (
            "gap_s",
            f"a silence ends a text under line_end = 'gap' alone; it is '{settings.end}'",
            "remove gap_s, or set line_end = 'gap'",
        )
    elif settings.end is LineEnd.GAP and settings.gap_s * baud_of(table) < MIN_GAP_BITS:
        yield (
            "gap_s",
            f"{settings.gap_s} s is a pause of a UART at {baud_of(table)} baud: texts would be cut",
            f"set gap_s to {MIN_GAP_BITS / baud_of(table):.3f} or more",
        )
    if table.trigger == "host" and not profile.can(Capability.TRIGGER_ON):
        yield (
            "trigger",
            f"no trigger of '{table.profile}' is known to the host",
            "set the scanner to read by itself, with its manual, and remove trigger",
        )
    if profile.confuses(settings.end):
        yield (
            "line_end",
            f"the answers of '{table.profile}' to commands stand between STX and ETX, too",
            "set the scanner to end its texts with CR, and line_end = 'any'",
        )
    if profile.release and not table.feedback:
        yield (
            "feedback",
            f"a '{table.profile}' scanner with Host ACK waits 10 s for its host after each text",
            "remove feedback = false, or switch Host ACK off with the scanner's manual",
        )


def open_serial(
    table: SerialSourceTable,
    deliver: Callable[[Reading], None],
    *,
    monotonic_ns: Callable[[], int],
    rng: random.Random,
) -> SerialSource:
    """Return the source of a table; nothing is opened before it runs."""
    return SerialSource(
        table.port,
        table.name,
        deliver,
        monotonic_ns=monotonic_ns,
        draw=rng.random,
        baud=baud_of(table),
        profile=profile_of(table),
        settings=line_settings(table),
        feedback=table.feedback,
        set_up=table.set_up,
        trigger_every_s=TRIGGER_EVERY_S if table.trigger == "host" else None,
    )
