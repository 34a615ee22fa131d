"""Protects against the combination nobody thought of: any code, person, place and moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from admission.credential import CredentialKind, PassKind, Signature
from admission.hours import Hours
from admission.instant import ClockTrust
from admission.local_time import MAX_CLOCK_BEHIND_NS
from admission.rulebook import Rulebook
from admission.site import Direction, StalePolicy
from admission.standing import CredentialStatus, Lookup, Release, WatchEntry
from admission.texts import next_step, sentence
from admission.verdict import Alert, Outcome, Reason, Verdict
from tests.admission.scans import HOUR_NS, Scan, changed, deviations, scans
from tests.admission.test_texts import HEALTH
from tests.worlds import VIETNAM

MILDEST_FIRST = [Outcome.ADMIT, Outcome.REFER, Outcome.REFUSE]
NAMES_NOBODY = {
    Reason.TOO_MANY_ATTEMPTS: (),
    Reason.UNRECOGNISED: (),
    Reason.SIGNATURE_INVALID: (Alert.FORGERY,),
    Reason.WRONG_KEY_USE: (Alert.FORGERY,),
    Reason.CODE_USED: (Alert.REPLAY,),
}
"""What is answered before anybody is looked up, and the alerts with it."""
MORE_HEALTH = (
    "triệu chứng", "phơi nhiễm", "virus", "sốt", "ho", "mũi", "tái nhiễm", "người già", "nền",
    "symptom", "expos", "fever", "virus", "immun", "age", "elder", "vulnerab", "recover",
)  # fmt: skip
NEVER = Hours(60, 61)
"""A minute in the night: closed at 08:00."""

Change = Callable[[Scan], Scan]

BLOCKS: dict[str, Change] = {
    "isolated": lambda scan: scan.known(isolation_until=date.max),
    "revoked": lambda scan: scan.known(status=CredentialStatus.REVOKED),
    "withdrawn": lambda scan: scan.but(standing={"withdrawn": True}),
    "symptoms": lambda scan: scan.known(symptoms=True),
    "exposure": lambda scan: scan.known(exposure=True),
    "declaration demanded": lambda scan: scan.asking(declaration_max_age_h=0),
    "never declared": lambda scan: scan.known(declared_h=None),
    "test demanded": lambda scan: scan.asking(test_max_age_h=0),
    "permit demanded": lambda scan: scan.asking(permit=True),
    "permits gone": lambda scan: scan.but(standing={"permits": ()}),
    "declared data differ": lambda scan: scan.but(standing={"differs": True}),
    "records contradict": lambda scan: scan.but(standing={"mismatch": True}),
    "struck off": lambda scan: scan.but(standing={"roster": None}),
    "list demanded": lambda scan: scan.asking(roster=True),
    "headcount reached": lambda scan: scan.asking(headcount=0),
    "full": lambda scan: scan.asking(capacity=0),
    "closed": lambda scan: scan.asking(hours=(NEVER,)),
    "a moment ago": lambda scan: scan.asking(anti_passback_s=600).but(
        here={"passed_ago_ns": 0}
    ),
    "used": lambda scan: scan.but(here={"used": True}),
    "guessed": lambda scan: scan.but(here={"held_off": True}),
    "unrecognised": lambda scan: scan.but(credential={"kind": CredentialKind.UNRECOGNISED}),
}  # fmt: skip
"""What the policy blocks for. None of them ever makes an answer milder."""

DOUBTS: dict[str, Change] = {
    "no replica": lambda scan: scan.but(standing={"lookup": Lookup.NO_REPLICA}),
    "page damaged": lambda scan: scan.but(standing={"lookup": Lookup.UNREADABLE}),
    "no release": lambda scan: scan.but(standing={"release": None}),
    "no clock": lambda scan: scan.but(now={"trust": ClockTrust.UNKNOWN}),
    "head expired": lambda scan: scan.but(
        site={"stale": StalePolicy.REFER},
        standing={"release": Release(1, scan.now.wall_ns - 1, scan.now.wall_ns)},
    ),
    "from the future": lambda scan: scan.but(
        standing={"release": Release(1, scan.now.wall_ns + 10**15, scan.now.wall_ns + 10**16)}
    ),
    "watched": lambda scan: scan.but(standing={"watch": WatchEntry(CredentialStatus.ACTIVE)}),
}
"""What makes a gate refer instead of judging: the answer may change, but never to ADMIT."""


def _rank(verdict: Verdict) -> int:
    return MILDEST_FIRST.index(verdict.outcome)


def _silent(scan: Scan) -> tuple[Alert, ...]:
    """Return the alerts that are due for this person, worked out another way."""
    release, standing = scan.standing.release, scan.standing
    ahead = release is not None and release.vouched_ns - scan.now.wall_ns > MAX_CLOCK_BEHIND_NS
    try:
        today = scan.now.at(VIETNAM).date()
    except (OverflowError, ValueError):
        return ()
    if scan.now.trust is ClockTrust.UNKNOWN or ahead:
        return ()
    due = []
    if (
        standing.facts
        and standing.facts.isolation_until
        and standing.facts.isolation_until >= today
    ):
        due.append(Alert.ISOLATION)
    watch = standing.watch
    if watch and watch.status is CredentialStatus.ACTIVE and (watch.until or today) >= today:
        due.append(Alert.WATCHED)
    return tuple(due)


def test_whatever_differs_alone_ends_in_a_verdict_with_the_alerts_that_are_due(
    rulebook: Rulebook,
) -> None:
    for name in deviations():
        for direction in Direction:
            _check(changed([name]).but(here={"direction": direction}), rulebook)


@settings(max_examples=300)
@given(scans)
@example(changed(["credential.kind = typed_code", "here.held_off = True"]))
def test_any_combination_ends_in_a_verdict_with_the_alerts_that_are_due(
    rulebook: Rulebook, scan: Scan
) -> None:
    _check(scan, rulebook)


def _check(scan: Scan, rulebook: Rulebook) -> None:
    verdict = scan.verdict(rulebook)
    assert len(verdict.reasons) == len(set(verdict.reasons)) >= 1
    assert verdict.reason is not Reason.FAULT
    assert (verdict.to_leave is None) == (verdict.reason is not Reason.ZONE_FULL)
    if verdict.outcome is not Outcome.ADMIT:
        assert verdict.condition is None
    if verdict.reason in NAMES_NOBODY:
        assert verdict.alerts == NAMES_NOBODY[verdict.reason]
    elif scan.standing.lookup is not Lookup.NOTHING_TO_LOOK_UP or scan.credential.proof:
        assert verdict.alerts == _silent(scan)
    else:
        assert (verdict.alerts, verdict.reasons) == ((), (Reason.NO_RECORD,))


@settings(max_examples=250)
@given(scans.map(lambda scan: scan.but(here={"direction": Direction.IN})))
def test_admit_is_argued_for(rulebook: Rulebook, scan: Scan) -> None:
    verdict = scan.verdict(rulebook)
    if verdict.outcome is not Outcome.ADMIT:
        return
    credential, standing, site, now, here = scan
    proof, release, facts = credential.proof, standing.release, standing.facts
    granted = credential.granted if proof else None
    assert credential.kind is not CredentialKind.UNRECOGNISED
    assert not (here.used)
    assert not (standing.withdrawn)
    assert not (standing.mismatch)
    assert not (standing.differs)
    assert verdict.alerts == ()
    assert _silent(scan) == ()
    assert now.trust is not ClockTrust.UNKNOWN
    assert proof is None or proof.signature is Signature.VALID
    if proof is not None:
        assert proof.expires_ns is None or now.wall_ns < proof.expires_ns
        assert proof.not_before_ns is None or proof.not_before_ns <= now.wall_ns
    assert standing.lookup in {Lookup.FOUND, Lookup.NOT_FOUND, Lookup.NOTHING_TO_LOOK_UP}
    assert standing.lookup is Lookup.FOUND or (proof and credential.certificate)
    assert release is not None
    fresh = now.wall_ns - release.vouched_ns <= 504 * HOUR_NS and now.wall_ns < release.expires_ns
    keeps_to_list = site.stale is StalePolicy.ROSTER_ONLY and standing.roster is not None
    assert fresh or keeps_to_list
    if keeps_to_list and not fresh:
        assert standing.roster is not None
        assert standing.roster.status is CredentialStatus.ACTIVE
    assert granted is None or granted.kind is not PassKind.OFFICER
    if standing.lookup is Lookup.FOUND:
        assert facts is not None
        assert facts.status is CredentialStatus.ACTIVE
        assert not (facts.symptoms)
        assert not (facts.exposure)
    asked = site.demands
    assert asked.capacity is None or here.inside < asked.capacity
    assert not asked.hours or any(each.include(now.at(VIETNAM)) for each in asked.hours)
    assert not (asked.roster and standing.roster is None)
    opened = (site.directive, verdict.card, site.place) in rulebook.access
    assert opened or (asked.essential and site.directive in rulebook.directives)


@settings(max_examples=200)
@given(
    scans.map(lambda scan: scan.but(site={"stale": StalePolicy.REFER})),
    st.lists(st.sampled_from(sorted(BLOCKS)), min_size=1, max_size=3),
)
def test_a_block_never_makes_an_answer_milder(
    rulebook: Rulebook, scan: Scan, names: list[str]
) -> None:
    before = scan.verdict(rulebook)
    for name in names:
        scan = BLOCKS[name](scan)
        after = scan.verdict(rulebook)
        assert _rank(after) >= _rank(before), name
        before = after


@settings(max_examples=150)
@given(
    scans.map(lambda scan: scan.but(here={"direction": Direction.IN})),
    st.sampled_from(sorted(DOUBTS)),
)
def test_a_doubt_never_admits(rulebook: Rulebook, scan: Scan, name: str) -> None:
    assert DOUBTS[name](scan).verdict(rulebook).outcome is not Outcome.ADMIT


@settings(max_examples=150)
@given(scans.map(lambda scan: scan.but(here={"direction": Direction.OUT})))
def test_the_way_out_refuses_nobody_who_is_named(rulebook: Rulebook, scan: Scan) -> None:
    verdict = scan.verdict(rulebook)
    if verdict.outcome is Outcome.REFUSE:
        assert verdict.reason in {*NAMES_NOBODY, Reason.NO_RECORD}
    else:
        assert verdict.reason in {Reason.CHECKED_OUT, Reason.ANTI_PASSBACK, Reason.NO_RECORD}


@pytest.mark.parametrize("reason", list(Reason))
def test_no_reason_tells_the_queue_of_anybodys_health_or_age(reason: Reason) -> None:
    for text in (sentence(reason), next_step(reason)):
        assert text.vi
        assert text.en
        for words in (text.vi.lower(), text.en.lower()):
            assert not [
                each for each in (*HEALTH, *MORE_HEALTH) if re.search(rf"\b{each}\b", words)
            ]
