"""What a board is wired to, and how its site wants it: 26 bytes, kept by the board with a CRC.

Both the message CONFIGURE and the microcontroller's EEPROM hold this form (docs/firmware-link.md).
Every limit is the firmware's own as well: what lies beyond one is refused by both sides.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from admission.gate import GateSettings, Input, Side
from admission.signal import MAX_ON_MS, Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link.frame import CRC_FINAL_XOR, CRC_INITIAL

LAYOUT: Final = 1
CONFIGURATION_BYTES: Final = 26
MIN_MAX_ON_MS: Final = 20
DEAD_MAN_MS: Final = range(500, 1_001)
WINDOW_MS: Final = range(500, 10_001)
MIN_PULSE_MS: Final = range(20, 1_001)
DEBOUNCE_MS: Final = range(1, 101)
SETTLE_MS: Final = range(251)
DEFAULT_INPUTS: Final = frozenset({Input.BUTTON, Input.TAMPER, Input.FIRE, Input.STOP})
"""What a board without configuration listens to: contacts that say nothing where none is wired."""

_LAYOUT = struct.Struct("<6B6HHHHBB")
_HOLD, _FAIL_SAFE, _SAFE_BLINK = 1, 2, 4

_Member = TypeVar("_Member", Output, Input)


class BoardConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """One board's configuration; the defaults are those of a board that was never configured.

    `outputs` and `inputs` are what is wired. An output in `active_low` is energised by a low level;
    an input in `normally_closed` is active while its contact is open. `hold` and `fail_safe` are
    the turnstile's: unlock by a level instead of a pulse, and a lock that is held by current, so
    that everything without current is free. `safe_blink` makes the lamps of OUT OF ORDER blink
    while no host is there. `max_on_ms` has one item an output, by its number.

    :raises ValueError: if a value is beyond its limits.
    """

    outputs: frozenset[Output] = frozenset(Output)
    active_low: frozenset[Output] = frozenset()
    inputs: frozenset[Input] = DEFAULT_INPUTS
    normally_closed: frozenset[Input] = frozenset()
    hold: bool = False
    fail_safe: bool = False
    safe_blink: bool = False
    max_on_ms: tuple[int, ...] = (MAX_ON_MS,) * len(Output)
    dead_man_ms: int = 1_000
    window_ms: int = 5_000
    min_pulse_ms: int = 100
    debounce_ms: int = 20
    settle_ms: int = 50

    def __post_init__(self) -> None:
        if len(self.max_on_ms) != len(Output):
            msg = f"max_on_ms: one number for each of the {len(Output)} outputs"
            raise ValueError(msg)
        for value in self.max_on_ms:
            _check("max_on_ms", value, range(MIN_MAX_ON_MS, MAX_ON_MS + 1))
        _check("dead_man_ms", self.dead_man_ms, DEAD_MAN_MS)
        _check("window_ms", self.window_ms, WINDOW_MS)
        _check("min_pulse_ms", self.min_pulse_ms, MIN_PULSE_MS)
        _check("debounce_ms", self.debounce_ms, DEBOUNCE_MS)
        _check("settle_ms", self.settle_ms, SETTLE_MS)

    @property
    def fingerprint(self) -> int:
        """CRC-16/GENIBUS of the packed form: how a board says which configuration it has."""
        return crc_hqx(self.pack(), CRC_INITIAL) ^ CRC_FINAL_XOR

    @property
    def gate(self) -> GateSettings:
        """The part that the gate cycle goes by."""
        return GateSettings(
            hold=self.hold,
            window_ms=self.window_ms,
            min_pulse_ms=self.min_pulse_ms,
            settle_ms=self.settle_ms,
            max_on_ms=(self.max_on_ms[Output.GATE], self.max_on_ms[Output.GATE_B]),
            sensors=(Side.A.sensor in self.inputs, Side.B.sensor in self.inputs),
            ready_fitted=Input.READY in self.inputs,
        )

    @property
    def options(self) -> int:
        """The options byte: bit 0 hold, bit 1 fail-safe, bit 2 safe blink."""
        return self.hold * _HOLD | self.fail_safe * _FAIL_SAFE | self.safe_blink * _SAFE_BLINK

    def pack(self) -> bytes:
        """Return the 26 bytes."""
        return _LAYOUT.pack(
            LAYOUT,
            bits_of(self.outputs),
            bits_of(self.active_low),
            bits_of(self.inputs),
            bits_of(self.normally_closed),
            self.options,
            *self.max_on_ms,
            self.dead_man_ms,
            self.window_ms,
            self.min_pulse_ms,
            self.debounce_ms,
            self.settle_ms,
        )


def unpack(data: bytes) -> BoardConfiguration:
    """Return the configuration in 26 bytes.

    :raises MessageError: if they are of another layout, or a value is beyond its limits.
    """
    if len(data) != CONFIGURATION_BYTES or data[0] != LAYOUT:
        raise MessageError("not a board configuration of this layout")
    _, outputs, active_low, inputs, normally_closed, options, *values = _LAYOUT.unpack(data)
    if options & ~(_HOLD | _FAIL_SAFE | _SAFE_BLINK):
        raise MessageError("the configuration has options that this version does not know")
    try:
        return BoardConfiguration(
            outputs=_members(outputs, Output),
            active_low=_members(active_low, Output),
            inputs=_members(inputs, Input),
            normally_closed=_members(normally_closed, Input),
            hold=bool(options & _HOLD),
            fail_safe=bool(options & _FAIL_SAFE),
            safe_blink=bool(options & _SAFE_BLINK),
            max_on_ms=tuple(values[:6]),
            dead_man_ms=values[6],
            window_ms=values[7],
            min_pulse_ms=values[8],
            debounce_ms=values[9],
            settle_ms=values[10],
        )
    except ValueError as error:
        msg = f"not a board configuration: {error}"
        raise MessageError(msg) from error


def bits_of(members: Iterable[Output] | Iterable[Input]) -> int:
    """Return the byte in which bit n stands for the member of value n."""
    return sum(1 << member for member in members)


def _members(bits: int, kind: type[_Member]) -> frozenset[_Member]:
    if bits >> len(kind):
        msg = f"{kind.__name__.lower()}s that this version does not know"
        raise ValueError(msg)
    return frozenset(member for member in kind if bits >> member & 1)


def _check(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        msg = f"{name} is {value}, outside {allowed.start} to {allowed.stop - 1}"
        raise ValueError(msg)
