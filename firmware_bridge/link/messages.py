"""What the two sides say, one struct each. Their bytes: `codec`, and docs/firmware-link.md.

The type's highest bit says who speaks: 0 the host, 1 the board. A cable that echoes (a short
between the two lines, a loop-back plug) can thus never answer itself.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import msgspec

from admission.gate import GateOutcome, Input, Side
from admission.signal import Output, Signal
from firmware_bridge.link.configuration import BoardConfiguration


class Kind(IntEnum):
    """Message types. Values are on the wire."""

    HELLO = 0x1
    SHOW = 0x2
    HEARTBEAT = 0x3
    EVENT_ACKNOWLEDGE = 0x4
    CONFIGURE = 0x5
    READ_CONFIGURATION = 0x6
    HELLO_REPLY = 0x9
    ACKNOWLEDGE = 0xA
    NOT_ACKNOWLEDGED = 0xB
    HEARTBEAT_REPLY = 0xC
    INPUT = 0xD
    GATE = 0xE
    CONFIGURATION = 0xF


class ResetCause(IntEnum):
    """Why the board last started. Values are on the wire."""

    UNKNOWN = 0
    POWER_ON = 1
    EXTERNAL = 2
    BROWN_OUT = 3
    WATCHDOG = 4


class Refusal(IntEnum):
    """Why the board does not acknowledge. Values are on the wire."""

    NO_SESSION = 1
    """The frame's session is not the board's: it restarted, or another host greeted it."""
    VERSION = 2
    """The frame's version is not the board's. The answer's own version says which one is."""
    MALFORMED = 3
    """The payload does not have the layout of its type, or a value in it is beyond its limits."""
    NO_SUCH_OUTPUT = 4
    """A pulse is meant for an output that this board lacks."""
    STALE = 5
    """A newer signal has been accepted since."""
    STOPPED = 6
    """The stop input is active: no gate opens."""
    NOT_READY = 7
    """The turnstile does not say that it is ready."""
    BUSY = 8
    """As many people as the gate remembers are waiting to pass already."""
    NOT_CONFIGURED = 9
    """The stored configuration is damaged: the board drives nothing until it gets a new one."""
    LOCKED = 10
    """The configuration jumper is not fitted."""


class BoardState(IntFlag):
    """What is to be known of the board's configuration. Bits are on the wire."""

    STORED = 1
    """It was written by somebody; else the board runs on the defaults."""
    DAMAGED = 2
    """What was written does not read back."""
    JUMPER = 4
    """The jumper that allows a new one is fitted."""


class BoardOptions(IntFlag):
    """The site's choices in force. Bits are on the wire, as in the configuration."""

    HOLD = 1
    """A gate stays released until somebody passed or the window is over; else for a pulse."""
    FAIL_SAFE = 2
    """Current holds the gate locked: without power it is open."""
    SAFE_BLINK = 4
    """Without a host the lamps blink OUT OF ORDER."""


class Hello(msgspec.Struct, frozen=True, gc=False):
    """The host begins a session. `nonce` (u32) ties the answer to this greeting."""

    nonce: int


class HelloReply(msgspec.Struct, frozen=True, gc=False):
    """The board's answer: which session this is, and who answers.

    `boot_count` (u16, kept over power cycles) changes with every start. `outputs` and `inputs` are
    what is fitted, `sensed` what is active now. `fingerprint` is the configuration's. The last
    times are what the board itself keeps: the longest on-time of any of its outputs, the dead-man,
    and how long a gate waits for somebody to pass.
    """

    nonce: int
    session: int
    boot_count: int
    reset_cause: ResetCause
    outputs: frozenset[Output]
    inputs: frozenset[Input]
    sensed: frozenset[Input]
    fingerprint: int
    state: BoardState
    options: BoardOptions
    max_on_ms: int
    dead_man_ms: int
    window_ms: int
    firmware: tuple[int, int, int]


class Show(msgspec.Struct, frozen=True, gc=False):
    """Run this signal instead of whatever runs now; a gate in it begins a gate cycle.

    `entry` (u32) is the journal's sequence of the admission, 0 if it is none.
    """

    signal: Signal
    entry: int = 0


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """The host is there. It holds the dead-man's handle."""


class EventAcknowledge(msgspec.Struct, frozen=True, gc=False):
    """The host holds the event, of an input or a gate, of the frame's sequence."""


class Configure(msgspec.Struct, frozen=True, gc=False):
    """Store this configuration and restart with it."""

    configuration: BoardConfiguration


class ReadConfiguration(msgspec.Struct, frozen=True, gc=False):
    """Say what configuration is in force."""


class Acknowledge(msgspec.Struct, frozen=True, gc=False):
    """What came with the frame's sequence was done: a show runs or has run."""


class NotAcknowledged(msgspec.Struct, frozen=True, gc=False):
    """What came with the frame's session and sequence was not accepted.

    A `reason` that this version does not know is kept as its number.
    """

    reason: int


class HeartbeatReply(msgspec.Struct, frozen=True, gc=False):
    """The board is there: its clock (ms since its start, u32, wraps), and what is active now."""

    board_ms: int
    energised: frozenset[Output]
    sensed: frozenset[Input]


class InputEvent(msgspec.Struct, frozen=True, gc=False):
    """An input became active (`value` 1) or inactive (0) at `board_ms` (u32, wraps).

    `lost` (u8, saturating) counts events before this one that found the board's memory full.
    """

    input: Input
    value: int
    board_ms: int
    lost: int = 0


class GateEvent(msgspec.Struct, frozen=True, gc=False):
    """How a gate cycle went, or that somebody passed outside of one.

    `entry` is the admission's that opened the gate, 0 if none did. `board_ms` and `lost` are those
    of `InputEvent`.
    """

    outcome: GateOutcome
    side: Side
    entry: int
    board_ms: int
    lost: int = 0


class ConfigurationReply(msgspec.Struct, frozen=True, gc=False):
    """The configuration in force."""

    configuration: BoardConfiguration


HostMessage = Hello | Show | Heartbeat | EventAcknowledge | Configure | ReadConfiguration
BoardEvent = InputEvent | GateEvent
BoardMessage = (
    HelloReply | Acknowledge | NotAcknowledged | HeartbeatReply | BoardEvent | ConfigurationReply
)
Message = HostMessage | BoardMessage
