"""Errors of the doors out.

BridgeError
├── BridgeUnavailable    nobody to talk to: no device, no handshake yet, or the link is dead
├── BridgeTimeout        it was sent, and nobody acknowledged within the bound
├── BridgeRefused        the board answered, and the answer was no
├── BridgeSuperseded     a newer signal took this one's place before it was acknowledged
├── BridgeIncompatible   the board speaks another version, or lacks an output that the site needs
├── TerminalsError       a local board's pins, relays or lamps cannot be opened, set or read
└── LinkError            bytes on the cable that are not what they claim to be
    ├── FrameError       no frame: length, COBS or CRC
    └── MessageError     a sound frame whose type or payload this version does not know
"""

from __future__ import annotations

from admission.errors import ChotError


class BridgeError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class BridgeUnavailable(BridgeError):  # noqa: N818 - a state of the hardware, not a mistake
    """No device, no handshake yet, or the link died. The signal ran once or not at all."""


class BridgeTimeout(BridgeError):  # noqa: N818 - as above
    """Nobody acknowledged within the bound. The signal ran once or not at all."""


class BridgeRefused(BridgeError):  # noqa: N818 - as above
    """The board understood the signal and will not run it.

    `reason` is the board's (`link.messages.Refusal`), 0 if the signal was never sent.
    """

    def __init__(self, message: str, *, hint: str = "", reason: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class BridgeSuperseded(BridgeError):  # noqa: N818 - as above
    """A newer signal took this one's place. It ran once or not at all, and runs no longer."""


class BridgeIncompatible(BridgeError):  # noqa: N818 - as above
    """The board speaks another protocol version, or lacks an output that the site needs."""


class TerminalsError(BridgeError):
    """A local board's pins, relays or lamps cannot be opened, set or read."""


class LinkError(BridgeError):
    """Bytes on the cable are not what they claim to be."""


class FrameError(LinkError):
    """No frame: its length, its COBS code or its CRC is wrong."""


class MessageError(LinkError):
    """A sound frame whose version, type or payload is not of this protocol."""
