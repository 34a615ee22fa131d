"""What the gate answers: outcome, card colour, reasons. Sentences for people are in `texts`."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """The three answers."""

    ADMIT = "admit"
    REFER = "refer"
    REFUSE = "refuse"


class Card(StrEnum):
    """Card colours of the rulebook."""

    GREEN = "green"
    YELLOW = "yellow"
    NONE = "none"


class LaneState(StrEnum):
    """Whether a lane can serve at all."""

    OPEN = "open"
    OUT_OF_ORDER = "out_of_order"


class Reason(StrEnum):
    """Why. Values are on the wire, in metrics and in the log; add, never rename."""

    CARD_OPENS = "card_opens"
    """The card's colour opens this kind of place under the directive in force."""
    CARD_DOES_NOT_OPEN = "card_does_not_open"
    """The person has a card, but it does not open this kind of place."""
    NO_CARD = "no_card"
    """The facts give neither a green nor a yellow card."""
    NO_RECORD = "no_record"
    """The credential is well-formed, but the replica knows nobody by it."""
    UNRECOGNISED = "unrecognised"
    """Unknown, malformed, oversized or hostile code."""
    REVOKED = "revoked"
    """This credential was withdrawn."""
    IDENTITY_MISMATCH = "identity_mismatch"
    """The code's numbers lead to records that contradict each other."""
    SEE_OFFICER = "see_officer"
    """Isolation until a date. Neutral by design: the queue must not learn of an illness."""
    STALE_REPLICA = "stale_replica"
    """The replica is older than the rulebook's freshness limit."""
    NO_REPLICA = "no_replica"
    """No release has been activated on this gate yet."""
    CANNOT_DECIDE = "cannot_decide"
    """The stored page that would hold the answer is damaged."""
    CLOCK_UNTRUSTED = "clock_untrusted"
    """Nobody vouches for the date, and the answer depends on it."""
    NO_RULE = "no_rule"
    """The rulebook has no row for the directive in force: a configuration to mend."""
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    """The entry could not be made durable, so the gate does not open."""
    FAULT = "fault"
    """Something in the gate failed while it was deciding."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """One text in both languages."""

    vi: str
    en: str


class Verdict(msgspec.Struct, frozen=True):
    """One answer. Results are born REFER: an outcome better than that has to be argued for.

    `condition` is what the card asks of its holder inside (5K, 2 m), from the rulebook.
    """

    outcome: Outcome = Outcome.REFER
    reasons: tuple[Reason, ...] = (Reason.FAULT,)
    card: Card = Card.NONE
    condition: Text | None = None

    @property
    def reason(self) -> Reason:
        """The reason that people are told: the first."""
        return self.reasons[0] if self.reasons else Reason.FAULT
