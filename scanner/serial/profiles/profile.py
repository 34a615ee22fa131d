"""What is known of one family of serial scanners: how it sends, and what it can be told."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from scanner.serial.dialogue import Dialogue, LineDialogue, Messages
from scanner.serial.line import LineEnd, LineSettings
from scanner.serial.ssi import PacketReader
from scanner.serial.ssi_dialogue import PACKET_SILENCE_S, SsiDialogue


class Framing(StrEnum):
    """How a scanner marks where a text ends."""

    LINES = "lines"
    SSI = "ssi"


class Capability(StrEnum):
    """What a scanner can be told. The values are the names of `Profile`'s fields."""

    TRIGGER_ON = "trigger_on"
    TRIGGER_OFF = "trigger_off"
    ENABLE = "enable"
    DISABLE = "disable"
    GOOD = "good"
    BAD = "bad"
    LIGHT_ON = "light_on"
    LIGHT_OFF = "light_off"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One family of scanners. Commands that its manuals do not show are left empty.

    `baud` and `line` are how it leaves the factory. `set_up` is sent at each opening. `trigger_on`
    begins a read and `trigger_off` ends it, `disable` makes it blind until `enable`; `good` and
    `bad` tell people of the verdict; `light_on` shows its good-read lamp (some put it out by
    themselves: `light_off` is empty then). `release` frees a scanner that waits for its host when
    no verdict has come. `query` asks who it is, and `identity` is found in the answer (under SSI
    every whole packet is one). `replies` matches what it answers to commands among the texts.
    """

    name: str
    title: str
    baud: int = 9600
    framing: Framing = Framing.LINES
    line: LineSettings = LineSettings()
    set_up: Messages = ()
    trigger_on: Messages = ()
    trigger_off: Messages = ()
    enable: Messages = ()
    disable: Messages = ()
    good: Messages = ()
    bad: Messages = ()
    light_on: Messages = ()
    light_off: Messages = ()
    release: Messages = ()
    query: Messages = ()
    identity: re.Pattern[bytes] | None = None
    replies: re.Pattern[bytes] | None = None
    replies_begin_with_stx: bool = False

    def can(self, capability: Capability) -> bool:
        """Return whether it can be told so."""
        return bool(self.messages(capability))

    def messages(self, capability: Capability) -> Messages:
        """Return the commands for it; empty if it cannot be told."""
        messages: Messages = getattr(self, capability.value)
        return messages

    def confuses(self, end: LineEnd) -> bool:
        """Return whether its answers to commands look like texts under this end of lines."""
        return end is LineEnd.ETX and self.replies_begin_with_stx

    def recognises(self, reply: bytes) -> bool:
        """Return whether `reply`, to `query`, comes from a scanner of this family."""
        if self.framing is Framing.SSI:
            return bool(PacketReader().feed(reply))
        return self.identity is not None and self.identity.search(reply) is not None

    def quiet_s(self, settings: LineSettings) -> float:
        """Return the silence after which a dialogue's `idle` has something to do."""
        return PACKET_SILENCE_S if self.framing is Framing.SSI else settings.quiet_s

    def dialogue(
        self, settings: LineSettings | None = None, *, feedback: bool = True, release_s: float = 2.0
    ) -> Dialogue:
        """Return our side of a new talk with it.

        :param settings: in place of `line`.
        :param feedback: whether verdicts are told to it; without, it is not released either.
        """
        settings = settings or self.line
        if self.framing is Framing.SSI:
            return SsiDialogue(settings)
        return LineDialogue(
            settings,
            replies=self.replies,
            release=self.release if feedback else (),
            release_s=release_s,
        )
