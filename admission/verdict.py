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

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    GREEN = "green"
    YELLOW = "yellow"
    NONE = "none"


class LaneState(StrEnum):
    """Whether a lane can serve at all."""

    OPEN = "open"
    OUT_OF_ORDER = "out_of_order"


class Reason(StrEnum):
    """Why. Values are on the wire, in metrics and in the log; add, never rename."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

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
    """The code's numbers lead to records that contradict each other, or its name and birth date
    are not those on record."""
    SEE_OFFICER = "see_officer"
    """Isolation, symptoms, a positive test or a watch list. Neutral by design: the queue must not
    learn which."""
    STALE_REPLICA = "stale_replica"
    """The replica is older than the rulebook's freshness limit."""
    NO_REPLICA = "no_replica"
    """No release has been activated on this gate yet."""
    CANNOT_DECIDE = "cannot_decide"
    """The stored page that would hold the answer is damaged."""
    CLOCK_UNTRUSTED = "clock_untrusted"
    """Nobody vouches for the date, and the answer depends on it."""
    PASS_OPENS = "pass_opens"  # noqa: S105 - a reason, not a secret
    """The pass gives its holder the right to enter here and now."""
    ESSENTIAL_NEED = "essential_need"
    """No card opens this place for the person, but the site lets in for essential needs."""
    CHECKED_OUT = "checked_out"
    """Leaving: the way out is open to everybody whose code names somebody."""
    OVERRIDDEN = "overridden"
    """An officer decided otherwise than the gate."""
    OFFICER_IDENTIFIED = "officer_identified"
    """The badge of an officer who counts here: the officer's desk is open, the gate is not."""
    SIGNATURE_INVALID = "signature_invalid"
    """The signature does not hold under the issuer's key: altered or forged."""
    WRONG_KEY_USE = "wrong_key_use"
    """Signed with a key that may not sign this kind of credential."""
    ISSUER_UNKNOWN = "issuer_unknown"
    """Signed by somebody whose key is not trusted here: nothing proven, nothing refuted."""
    EXPIRED = "expired"
    """The credential's validity is over."""
    NOT_YET_VALID = "not_yet_valid"
    """The credential's validity has not begun."""
    CODE_EXPIRED = "code_expired"
    """A rotating code that was shown too long ago: a screenshot, or a wrong clock."""
    CODE_USED = "code_used"
    """A rotating code that was used here within its window."""
    CERTIFICATE_NOT_ACCEPTED = "certificate_not_accepted"
    """A genuine certificate that the acceptance rules in force do not accept."""
    DECLARATION_NEEDED = "declaration_needed"
    """The health declaration is missing, or older than the limit here."""
    TEST_NEEDED = "test_needed"
    """The test is missing, or older than the limit here."""
    PERMIT_NEEDED = "permit_needed"
    """No movement permit is on record, and one is required here."""
    PERMIT_EXPIRED = "permit_expired"
    PERMIT_REVOKED = "permit_revoked"
    PERMIT_ELSEWHERE = "permit_elsewhere"
    """The permit is for another district or another kind of place."""
    PERMIT_HOURS = "permit_hours"
    """The permit does not count at this hour."""
    NOT_ON_ROSTER = "not_on_roster"
    """Not on this site's approved list."""
    OUTSIDE_SHIFT = "outside_shift"
    HEADCOUNT_REACHED = "headcount_reached"
    """As many of the roster are inside as were approved."""
    OUTSIDE_HOURS = "outside_hours"
    """The site is closed at this hour."""
    PASS_ELSEWHERE = "pass_elsewhere"  # noqa: S105 - a reason, not a secret
    """The pass is for another place, district or site."""
    PASS_HOURS = "pass_hours"  # noqa: S105 - a reason, not a secret
    """The pass does not count at this hour."""
    ZONE_FULL = "zone_full"
    ANTI_PASSBACK = "anti_passback"
    """The same credential passed in this direction a moment ago."""
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    """Too many wrong numbers were typed in this lane: it takes none for a while."""
    NO_RULE = "no_rule"
    """The rulebook has no row for the directive in force: a configuration to mend."""
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    """The entry could not be made durable, so the gate does not open."""
    FAULT = "fault"
    """Something in the gate failed while it was deciding."""
    GATE_STOPPED = "gate_stopped"
    """The board keeps the gate shut: its emergency stop is pressed."""
    GATE_NOT_READY = "gate_not_ready"
    """The board keeps the gate shut: the turnstile does not report that it can turn."""
    GATE_BUSY = "gate_busy"
    """The board keeps the gate shut for this one: as many as it can hold wait to go through."""
    GATE_ALARM = "gate_alarm"
    """Nobody's verdict: what people are told while the gate's alarm light runs."""


class Text(msgspec.Struct, frozen=True, gc=False):
    """One text in both languages."""

    vi: str
    en: str


class Words(msgspec.Struct, frozen=True, gc=False):
    """What people read for one reason: what is the matter, and what they can do now."""

    sentence: Text
    next_step: Text


class Alert(StrEnum):
    """What an officer and the hub are told silently. Values are on the wire; add, never rename."""

    ISOLATION = "isolation"
    """Somebody who is to stay in isolation."""
    WATCHED = "watched"
    """Somebody on the watch list."""
    FORGERY = "forgery"
    """A signed code whose signature does not hold."""
    GUESSING = "guessing"
    """Too many wrong numbers were typed in one lane."""
    REPLAY = "replay"
    """A code that counts once was shown again."""
    FORCED = "forced"
    """Somebody went through whom the gate had not admitted."""
    TAILGATED = "tailgated"
    """Somebody else went through behind whoever was admitted."""
    TAMPER = "tamper"
    """The gate's housing was opened."""
    FIRE = "fire"
    """The fire alarm began."""
    STOP = "stop"
    """The emergency stop was pressed."""


class Verdict(msgspec.Struct, frozen=True):
    """One answer. Results are born REFER: an outcome better than that has to be argued for.

    `reasons` are all that were found, the one that people are told first. `condition` is what the
    card asks of its holder inside (5K, 2 m), from the rulebook. `to_leave` is how many must leave
    the zone before the next one may enter. `alerts` go to the officer and the hub, never to the
    screen before the queue. `words` are the authority's own for the first reason, None = those of
    `texts`.
    """

    outcome: Outcome = Outcome.REFER
    reasons: tuple[Reason, ...] = (Reason.FAULT,)
    card: Card = Card.NONE
    condition: Text | None = None
    to_leave: int | None = None
    alerts: tuple[Alert, ...] = ()
    words: Words | None = None

    @property
    def reason(self) -> Reason:
        """The reason that people are told: the first."""
        return self.reasons[0] if self.reasons else Reason.FAULT
