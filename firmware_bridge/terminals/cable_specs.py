"""What hangs on a cable of its own, as the site describes it.

The daemon reads it, the child uses it. No driver is imported here: whoever knows how a relay board
is wired need not know Modbus.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

import msgspec

from admission.gate import Input
from admission.signal import GATES, Output
from firmware_bridge.errors import TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration

FLASH_UNIT_MS: Final = 100
MIN_BAUD: Final = 4_800
"""A signal's two questions take 70 ms at this rate; slower ones leave no time for an answer."""
OSDP_BAUDS: Final = (9_600, 19_200, 38_400, 57_600, 115_200, 230_400)
MAX_SPAN: Final = 256
"""Coils, or inputs, are asked for in one question: from the lowest to the highest that is used."""


class ModbusRelaySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="modbus"):
    """Where the board is and what is wired to it. Either `device` or `host`.

    `framing` is "tcp" for a `host` and "rtu" for a `device` unless it says otherwise: converters
    from a network to RS-485 often carry "rtu" over TCP. `poll_ms` 0 stands for 20 by network and
    50 by RS-485. With `flash_off_ms` the board itself opens each relay after that time, should
    nobody do it before (Waveshare's flash-on; try it on the actual board); 0 does without.
    """

    coils: dict[Output, int]
    device: str = ""
    host: str = ""
    port: int = 502
    framing: Literal["", "rtu", "tcp"] = ""
    unit: int = 1
    baud: int = 9_600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_ms: int = 100
    poll_ms: int = 0
    discrete_inputs: dict[Input, int] = {}
    flash_off_ms: int = 0

    def check_fit(self, configuration: BoardConfiguration) -> None:
        """Return if a board of this configuration can be had with this wiring.

        :raises ValueError: if not, and why.
        """
        _check_wired("coil", configuration.outputs, self.coils)
        _check_wired("discrete input", configuration.inputs, self.discrete_inputs)
        if configuration.active_low & self.coils.keys():
            raise ValueError("a coil is never active low: use the relay's other contact (NC)")
        if not self.flash_off_ms:
            return
        if configuration.fail_safe and GATES & self.coils.keys():
            raise ValueError("flash_off_ms would release a gate that is held by its current")
        # As long as the longest on-time it would race with our own end, and look like a power cut.
        longest_ms = max(configuration.max_on_ms[output] for output in self.coils)
        if self.flash_off_ms < longest_ms + FLASH_UNIT_MS:
            msg = (
                f"flash_off_ms is {self.flash_off_ms}, less than the longest max_on_ms"
                f" ({longest_ms}) and {FLASH_UNIT_MS} more"
            )
            raise ValueError(msg)

    def __post_init__(self) -> None:
        """Refuse what no board could do.

        :raises ValueError: which setting is wrong, and what it may be.
        """
        if bool(self.device) == bool(self.host):
            raise ValueError("a Modbus board has either a device or a host")
        if self.device and self.framing == "tcp":
            raise ValueError("framing tcp needs a host")
        for low, value, high, name in (
            (1, self.unit, 247, "unit"),
            (1, self.port, 65_535, "port"),
            (MIN_BAUD, self.baud, 115_200, "baud"),
            (20, self.timeout_ms, 200, "timeout_ms"),
            (0, self.poll_ms, 250, "poll_ms"),
            (0, self.flash_off_ms, 10_000, "flash_off_ms"),
        ):
            if not low <= value <= high:
                msg = f"{name} is {value}, not within {low} to {high}"
                raise ValueError(msg)
        if self.flash_off_ms % FLASH_UNIT_MS:
            msg = f"flash_off_ms is no multiple of {FLASH_UNIT_MS}"
            raise ValueError(msg)
        if not self.coils:
            raise ValueError("a relay board without coils is of no use")
        _check_addresses("coils", self.coils.values())
        _check_addresses("discrete_inputs", self.discrete_inputs.values())
        if self.flash_off_ms and max(self.coils.values()) > 0xFF:
            raise ValueError("flash_off_ms works for coils 0 to 255")


def _check_addresses(name: str, addresses: Iterable[int]) -> None:
    known = sorted(addresses)
    if len(set(known)) != len(known):
        msg = f"{name} names an address twice"
        raise ValueError(msg)
    if known and not (known[0] >= 0 and known[-1] <= 0xFFFF and known[-1] - known[0] < MAX_SPAN):
        msg = f"{name} are addresses from 0, within {MAX_SPAN} of each other"
        raise ValueError(msg)


Tier = Literal["red", "amber", "green", "buzzer"]
OWN_TIERS: Final[dict[Output, Tier]] = {
    Output.GREEN: "green",
    Output.AMBER: "amber",
    Output.RED: "red",
    Output.BUZZER: "buzzer",
}


class StackLightSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stack_light"):
    """Which stack light is at `device`, and which of its tiers stands for which output.

    Without `tiers` each output has the tier of its own name. `buzzer_pattern` is the Patlite's.
    """

    device: str
    model: Literal["adafruit-5125", "patlite-phe"]
    tiers: dict[Output, Tier] = {}
    buzzer_pattern: int = 1

    def __post_init__(self) -> None:
        """Refuse what no light could do.

        :raises ValueError: which setting is wrong, and what it may be.
        """
        if not self.device:
            raise ValueError("a stack light has a device")
        if GATES & self.tiers.keys():
            raise ValueError("a stack light opens no gate")
        if not 1 <= self.buzzer_pattern <= 4:
            raise ValueError("buzzer_pattern is 1 to 4")

    def check_fit(self, configuration: BoardConfiguration) -> None:
        """Return if a board of this configuration can be had with this light.

        :raises ValueError: if not, and why.
        """
        _check_wired("tier on a stack light", configuration.outputs, self.wired)
        _check_wired("contact on a stack light", configuration.inputs, ())
        if configuration.active_low & self.wired.keys():
            raise ValueError("a stack light's tiers are never active low")

    @property
    def wired(self) -> dict[Output, Tier]:
        """The tier of each output that has one."""
        return self.tiers or OWN_TIERS


class OsdpSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="osdp"):
    """Which reader is on the RS-485 line at `device`.

    `address` is the reader's (0 to 126), `reader` and `led` count from 0. `key_file` holds the
    secure channel's base key: 32 hexadecimal digits, readable by its owner alone. Without one the
    line is plain, and whoever is on it can light the lamps.
    """

    device: str
    baud: int = 9_600
    address: int = 0
    reader: int = 0
    led: int = 0
    key_file: str = ""

    def __post_init__(self) -> None:
        """Refuse what no reader could be.

        :raises ValueError: which setting is wrong, and what it may be.
        """
        if not self.device:
            raise ValueError("an OSDP reader has a device")
        if self.baud not in OSDP_BAUDS:
            msg = f"baud is one of {', '.join(map(str, OSDP_BAUDS))}"
            raise ValueError(msg)
        if not 0 <= self.address <= 126:
            raise ValueError("address is 0 to 126")
        if not (0 <= self.reader <= 255 and 0 <= self.led <= 255):
            raise ValueError("reader and led are 0 to 255")

    def check_fit(self, configuration: BoardConfiguration) -> None:
        """Return if a board of this configuration can be had with this reader.

        :raises ValueError: if not, and why.
        """
        lights = frozenset(Output) - GATES
        _check_wired("lamp on an OSDP reader", configuration.outputs, lights)
        _check_wired("contact on an OSDP reader", configuration.inputs, {Input.TAMPER})
        if configuration.active_low & lights or configuration.normally_closed & {Input.TAMPER}:
            raise ValueError("an OSDP reader has no polarities to be told")


def check_fit(spec: CableSpec, configuration: BoardConfiguration) -> None:
    """Return if a board of this configuration can be had with this spec.

    :raises TerminalsError: if not, and why.
    """
    try:
        spec.check_fit(configuration)
    except ValueError as error:
        raise TerminalsError(str(error), hint="correct the bridge's table") from error


def _check_wired(
    what: str, wanted: frozenset[Output] | frozenset[Input], wired: Collection[Output | Input]
) -> None:
    missing = sorted(member.name.lower() for member in wanted if member not in wired)
    if missing:
        msg = f"there is no {what} for {', '.join(missing)}"
        raise ValueError(msg)


CableSpec = ModbusRelaySpec | StackLightSpec | OsdpSpec
