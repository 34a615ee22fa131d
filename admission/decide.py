"""The decision: each function is a clause of the policy, its figures and places in the rulebook.

The order is the argument:

1. A code that names nobody, is forged, was used before or is being guessed is answered first: no
   knowledge could improve on that.
2. The way out is open to everybody whose code names somebody. What an officer has to know of the
   person who leaves is told silently.
3. What only ever makes the answer stricter counts however old the knowledge is: a revocation, an
   isolation until its own last day, an expiry. A gate that lost the hub must not forget a block.
4. An officer's badge opens the officer's desk, not the gate.
5. Everything else, above all ADMIT, needs knowledge that is whole, dated and fresh. Without that
   the answer is REFER: an officer looks, nobody is let in and nobody is turned away.
6. Then everything that this place asks for under the directive in force, card and zone included.
   All clauses are asked; the strictest finding answers, and of equals the first in the policy.

What a code says of rights and of health counts only where a signature proves it.

A verdict is born REFER. One line of this module returns ADMIT.
"""

from __future__ import annotations

import msgspec

from admission.badge import officer_of
from admission.clauses import CLAUSES, Case, Question, is_listed, is_passed_back, stands_in
from admission.credential import Credential, CredentialKind, PassKind, Signature
from admission.errors import RuleError
from admission.facts import known_facts
from admission.instant import Instant
from admission.local_time import local_time
from admission.presence import NOBODY, Presence
from admission.rulebook import Rulebook
from admission.site import Direction, Site, StalePolicy
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    Release,
    Standing,
)
from admission.verdict import Alert, Card, Outcome, Reason, Text, Verdict

TYPED = frozenset({CredentialKind.TYPED_CODE, CredentialKind.BACKUP_NUMBER})
"""Numbers that somebody could guess at a keypad."""


def decide(  # noqa: PLR0917 - the design names these in this order
    credential: Credential,
    standing: Standing,
    rulebook: Rulebook,
    site: Site,
    now: Instant,
    here: Presence = NOBODY,
) -> Verdict:
    """Return who may pass: pure, and total over all standings, sites and instants.

    :param here: what this appliance knows of the person and of its zone.
    """
    local = local_time(now, standing.release, site)
    today = None if local is None else local.date()
    if credential.proof is None and (credential.certificate or credential.granted):
        credential = msgspec.structs.replace(credential, certificate=None, granted=None)
    asked = Question(credential, standing, rulebook, site, now, here, today, local)
    verdict = (
        _names_nobody(asked)
        or _leaving(asked)
        or _blocked(asked)
        or _badge(asked)
        or _in_doubt(asked)
        or _by_clauses(asked)
    )
    words = rulebook.words.get(verdict.reason)
    return verdict if words is None else msgspec.structs.replace(verdict, words=words)


def _names_nobody(asked: Question) -> Verdict | None:
    """Answer a code that is not one of ours, is forged, guessed, used up, or entirely masked."""
    credential, here = asked.credential, asked.here
    unrecognised = credential.kind is CredentialKind.UNRECOGNISED
    if here.held_off and (unrecognised or credential.kind in TYPED):
        return _refuse(Reason.TOO_MANY_ATTEMPTS)
    if unrecognised:
        return _refuse(Reason.UNRECOGNISED)
    if credential.proof is not None:
        if credential.proof.signature is Signature.INVALID:
            return _refuse(Reason.SIGNATURE_INVALID, Alert.FORGERY)
        if credential.proof.signature is Signature.WRONG_USE:
            return _refuse(Reason.WRONG_KEY_USE, Alert.FORGERY)
    if here.used:
        return _refuse(Reason.CODE_USED, Alert.REPLAY)
    names_somebody = asked.standing.lookup is not Lookup.NOTHING_TO_LOOK_UP
    if names_somebody or credential.proof is not None:
        return None
    return Verdict(asked.rulebook.no_record[asked.site.place], (Reason.NO_RECORD,))


def _leaving(asked: Question) -> Verdict | None:
    """Answer at a way out: nobody is kept inside for what a card, a list or the hub says."""
    if asked.here.direction is not Direction.OUT:
        return None
    alerts = _silent_alerts(asked)
    if is_passed_back(asked):
        return Verdict(Outcome.REFER, (Reason.ANTI_PASSBACK,), alerts=alerts)
    return _admit(Reason.CHECKED_OUT, alerts=alerts)


def _blocked(asked: Question) -> Verdict | None:
    """Answer what blocks, whatever the card and whatever the age of the knowledge."""
    standing, alerts = asked.standing, _silent_alerts(asked)
    facts = standing.facts
    if standing.withdrawn or (facts is not None and facts.status is not CredentialStatus.ACTIVE):
        return _refuse(Reason.REVOKED, *alerts)
    if Alert.ISOLATION in alerts:
        return _refuse(Reason.SEE_OFFICER, *alerts)
    over = None if asked.today is None else _out_of_time(asked.credential, asked.now)
    if over is not None:
        return _refuse(over, *alerts)
    return Verdict(Outcome.REFER, (Reason.SEE_OFFICER,), alerts=alerts) if alerts else None


def _silent_alerts(asked: Question) -> tuple[Alert, ...]:
    """Return what an officer has to know of this person, whatever else stands against them."""
    today, facts, watch = asked.today, asked.standing.facts, asked.standing.watch
    if today is None:  # an isolation and a watch last until a date
        return ()
    until = None if facts is None else facts.isolation_until
    isolated = until is not None and today <= until
    watched = (
        watch is not None
        and watch.status is CredentialStatus.ACTIVE
        and (watch.until is None or today <= watch.until)
    )
    return (Alert.ISOLATION,) * isolated + (Alert.WATCHED,) * watched


def _out_of_time(credential: Credential, now: Instant) -> Reason | None:
    """Return why a signed credential does not count now: it is over, or has not begun."""
    proof = credential.proof
    if proof is None or proof.signature is not Signature.VALID:
        return None
    if proof.expires_ns is not None and now.wall_ns >= proof.expires_ns:
        rotates = credential.kind is CredentialKind.ROTATING_CODE
        return Reason.CODE_EXPIRED if rotates else Reason.EXPIRED
    if proof.not_before_ns is not None and now.wall_ns < proof.not_before_ns:
        return Reason.NOT_YET_VALID
    return None


def _in_doubt(asked: Question) -> Verdict | None:
    """Answer where the knowledge is missing, damaged, undated or old: REFER."""
    standing, proof = asked.standing, asked.credential.proof
    if standing.lookup is Lookup.NO_REPLICA:
        return _refer(Reason.NO_REPLICA)
    release = standing.release
    if standing.lookup is Lookup.UNREADABLE or release is None:
        return _refer(Reason.CANNOT_DECIDE)
    # How old the knowledge is can only be said by a clock that somebody vouches for.
    if asked.local is None:
        return _refer(Reason.CLOCK_UNTRUSTED)
    # A site may keep to its own list meanwhile: who works there is known for longer.
    listed = standing.roster is not None and is_listed(standing.roster, asked.local)
    keeps_to_list = asked.site.stale is StalePolicy.ROSTER_ONLY and listed
    if not keeps_to_list and _is_stale(release, asked.rulebook, asked.now):
        return _refer(Reason.STALE_REPLICA)
    if proof is not None and proof.signature is not Signature.VALID:
        return _refer(Reason.ISSUER_UNKNOWN)
    return None


def _badge(asked: Question) -> Verdict | None:
    """Answer an officer's badge, whatever the age of the knowledge: it opens the desk alone.

    An officer is wanted most where a gate has been without its hub for long, and decides nothing
    at the gate that does not stand in the journal with a name.
    """
    if officer_of(asked.credential, asked.standing, asked.site, asked.now) is None:
        return None
    if asked.standing.differs:
        return _refer(Reason.IDENTITY_MISMATCH)
    return _refer(Reason.OFFICER_IDENTIFIED)


def _nobody_known(asked: Question, accepted: bool | None) -> Verdict | None:
    """Answer a sound code of nobody on record that does not say enough by itself."""
    rulebook, place, granted = asked.rulebook, asked.site.place, asked.credential.granted
    if granted is not None and granted.kind is PassKind.OFFICER:
        return _refer(Reason.NO_RECORD)  # a badge is nobody's card
    certified = asked.credential.certificate is not None and accepted
    if asked.standing.lookup is Lookup.FOUND or certified or stands_in(asked):
        return None
    if accepted is None:  # a rule could not be evaluated: an officer reads the certificate
        return _refer(Reason.CERTIFICATE_NOT_ACCEPTED)
    if not accepted:
        return Verdict(rulebook.no_card[place], (Reason.CERTIFICATE_NOT_ACCEPTED,))
    if asked.site.demands.essential:  # who is not on record is of those who have no card
        return None
    # Data go missing: at a station an officer looks.
    return Verdict(rulebook.no_record[place], (Reason.NO_RECORD,))


def _by_clauses(asked: Question) -> Verdict:
    """Answer by everything that this place asks for: the strictest finding, or ADMIT."""
    rulebook, standing, today, local = asked.rulebook, asked.standing, asked.today, asked.local
    certificate, proof = asked.credential.certificate, asked.credential.proof
    accepted: bool | None = True
    if certificate is not None and proof is not None:
        accepted = rulebook.accepts(certificate, proof, asked.now)
        if today is not None and not certificate.counts_on(today):
            accepted = False
        certificate = certificate if accepted else None
    unknown = _nobody_known(asked, accepted)
    known = standing.facts if standing.lookup is Lookup.FOUND else PersonFacts()
    if unknown is not None or known is None or today is None or local is None:
        return unknown or _refer(Reason.CANNOT_DECIDE)
    try:
        facts = known_facts(known, certificate)
        card = rulebook.card_of(facts, today)
    except RuleError:
        return _refer(Reason.FAULT)
    if card is Card.NONE and certificate is not None:
        card = rulebook.card_given(certificate)
    return _found(
        Case(
            asked.credential,
            standing,
            rulebook,
            asked.site,
            asked.now,
            asked.here,
            facts=facts,
            card=card,
            needs=rulebook.needs(asked.site),
            today=today,
            local=local,
        )
    )


def _found(case: Case) -> Verdict:
    """Ask every clause: the strictest finding answers, and without any the answer is ADMIT."""
    findings = [found for clause in CLAUSES if (found := clause(case)) is not None]
    if findings:
        findings.sort(key=lambda finding: finding.outcome is not Outcome.REFUSE)
        reasons = tuple(dict.fromkeys(finding.reason for finding in findings))
        return Verdict(findings[0].outcome, reasons, case.card, to_leave=findings[0].to_leave)
    if stands_in(case):
        return _admit(Reason.PASS_OPENS, case.card)
    opening = case.rulebook.opening(case.site.directive, case.card, case.site.place)
    if opening is None:
        return _admit(Reason.ESSENTIAL_NEED, case.card)
    return _admit(Reason.CARD_OPENS, case.card, opening.condition)


def _is_stale(release: Release, rulebook: Rulebook, now: Instant) -> bool:
    """Too old for the rulebook, or its head has expired: one of the two is enough."""
    too_old = now.wall_ns - release.vouched_ns > rulebook.replica_max_age_ns
    return too_old or now.wall_ns >= release.expires_ns


def _refuse(reason: Reason, *alerts: Alert) -> Verdict:
    return Verdict(Outcome.REFUSE, (reason,), alerts=alerts)


def _refer(reason: Reason) -> Verdict:
    return Verdict(Outcome.REFER, (reason,))


def _admit(
    reason: Reason,
    card: Card = Card.NONE,
    condition: Text | None = None,
    alerts: tuple[Alert, ...] = (),
) -> Verdict:
    return Verdict(Outcome.ADMIT, (reason,), card, condition, alerts=alerts)
