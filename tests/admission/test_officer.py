"""Protects the desk: only a sound badge of an officer who counts here opens it; acts are true."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.badge import officer_of
from admission.credential import Credential, CredentialKind, Doubt, Pass, PassKind, Proof, Signature
from admission.hours import Hours
from admission.identity import PersonKey
from admission.instant import ClockTrust, Instant
from admission.officer import (
    CorrectionTopic,
    OverrideReason,
    correction,
    overridden,
    reasons_for,
    recount,
)
from admission.officer_texts import alert_text, doubt_text, override_text, topic_text
from admission.passage import Event, passage
from admission.people import MAX_PEOPLE, Count
from admission.site import Place
from admission.standing import CredentialStatus, Lookup, Officer, PersonFacts, Release, Standing
from admission.verdict import Alert, Outcome, Reason, Text, Verdict
from admission.wire import pack_passage, unpack_passage
from admission.zone import counted
from tests.worlds import a_reading, a_site

HOUR_NS = 3_600_000_000_000
WALL_NS = int(datetime(2021, 9, 20, 1, 0, tzinfo=UTC).timestamp()) * 1_000_000_000
NOW = Instant(WALL_NS, 5, "boot-1", ClockTrust.SYNCHRONISED)
SITE = msgspec.structs.replace(a_site(), district_code=760)
OFFICER = Officer(CredentialStatus.ACTIVE, 4016, date(2021, 9, 20), 760)
BADGE = Credential(
    CredentialKind.CHOT_PASS,
    proof=Proof(Signature.VALID, "CHOT", WALL_NS - HOUR_NS, WALL_NS + HOUR_NS),
    granted=Pass(PassKind.OFFICER, b"1"),
)
STANDING = Standing(
    Lookup.NOT_FOUND, PersonKey(9), None, Release(1, WALL_NS, WALL_NS + HOUR_NS), officer=OFFICER
)


def changed(base: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(base, **fields)


def test_a_sound_badge_names_its_officer() -> None:
    assert officer_of(BADGE, STANDING, SITE, NOW) is OFFICER
    assert officer_of(BADGE, changed(STANDING, lookup=Lookup.FOUND), SITE, NOW) is OFFICER
    scoped = changed(BADGE.granted, officer=4016, districts=(760,), sites=("site-1",))
    assert officer_of(changed(BADGE, granted=scoped), STANDING, SITE, NOW) is OFFICER
    everywhere = changed(STANDING, officer=changed(OFFICER, district=0, last_day=None))
    assert officer_of(BADGE, everywhere, SITE, NOW) is not None


@pytest.mark.parametrize(
    "badge",
    [
        {"proof": None},  # whoever has seen an unsigned code can print it
        {"granted": None},
        {"granted": Pass(PassKind.CARD, b"1")},
        {"granted": Pass(PassKind.VISITOR, b"1")},
        {"granted": changed(BADGE.granted, officer=4017)},
        {"granted": changed(BADGE.granted, places=(Place.HOSPITAL,))},
        {"granted": changed(BADGE.granted, districts=(761,))},
        {"granted": changed(BADGE.granted, sites=("site-2",))},
        {"granted": changed(BADGE.granted, hours=(Hours(9 * 60, 17 * 60, 127),))},
        *({"proof": Proof(s)} for s in Signature if s is not Signature.VALID),
        {"proof": Proof(Signature.VALID, "", None, WALL_NS)},
        {"proof": Proof(Signature.VALID, "", WALL_NS + 1, None)},
    ],
)
def test_another_credential_signs_nobody_in(badge: dict[str, Any]) -> None:
    assert officer_of(changed(BADGE, **badge), STANDING, SITE, NOW) is None


@pytest.mark.parametrize(
    "standing",
    [
        {"officer": None},
        {"officer": changed(OFFICER, status=CredentialStatus.REVOKED)},
        {"officer": changed(OFFICER, last_day=date(2021, 9, 19))},
        {"officer": changed(OFFICER, district=761)},
        {"withdrawn": True},
        {"mismatch": True},
        {"facts": PersonFacts(status=CredentialStatus.REVOKED)},
        {"release": None},
        {"release": Release(1, WALL_NS + HOUR_NS, WALL_NS + 2 * HOUR_NS)},
        {"unreadable": ("officers",)},
        {"unreadable": ("credentials",)},
        *({"lookup": x} for x in (Lookup.UNREADABLE, Lookup.NO_REPLICA)),
    ],
)
def test_nobody_is_an_officer_by_another_standing(standing: dict[str, Any]) -> None:
    assert officer_of(BADGE, changed(STANDING, **standing), SITE, NOW) is None


def test_a_date_that_nobody_vouches_for_makes_no_officer() -> None:
    assert officer_of(BADGE, STANDING, SITE, changed(NOW, trust=ClockTrust.UNKNOWN)) is None


@given(
    st.from_type(Signature) | st.none(),
    st.from_type(PassKind) | st.none(),
    st.integers(-(2**63), 2**63),
    st.from_type(ClockTrust),
    st.sampled_from([None, OFFICER, changed(OFFICER, last_day=date.max)]),
)
def test_an_officer_always_has_a_valid_badge(
    signature: Signature | None,
    kind: PassKind | None,
    wall_ns: int,
    trust: ClockTrust,
    officer: Officer | None,
) -> None:
    badge = Credential(
        CredentialKind.CHOT_PASS,
        proof=None if signature is None else Proof(signature),
        granted=None if kind is None else Pass(kind, b"1"),
    )
    now = Instant(wall_ns, 5, "boot-1", trust)
    if officer_of(badge, changed(STANDING, officer=officer), SITE, now) is not None:
        assert (signature, kind) == (Signature.VALID, PassKind.OFFICER)
        assert officer is not None
        assert now.dated


SCAN = passage(
    a_reading("hello"),
    Credential(CredentialKind.TYPED_CODE),
    changed(STANDING, officer=None),
    Verdict(Outcome.REFUSE, (Reason.SEE_OFFICER,), alerts=(Alert.ISOLATION,)),
    NOW,
    site=SITE,
    lane="gate-1",
    rulebook="r@1",
    digest_key=b"k" * 32,
)
LATER = Instant(WALL_NS + 7, 12, "boot-1", ClockTrust.RTC)


@pytest.mark.parametrize("outcome", [Outcome.ADMIT, Outcome.REFUSE])
def test_an_override_says_who_and_why_about_whom(outcome: Outcome) -> None:
    for reason in reasons_for(outcome):
        entry = overridden(SCAN, 12, outcome, reason, officer=OFFICER, now=LATER)
        assert (entry.event, entry.about, entry.officer) == (Event.OVERRIDE, 12, 4016)
        assert (entry.outcome, entry.reasons) == (outcome, (Reason.OVERRIDDEN,))
        assert (entry.note, entry.wall_ns, entry.clock_trust) == (
            reason.value,
            LATER.wall_ns,
            ClockTrust.RTC,
        )
        same = ("person", "code_digest", "kind", "lane", "direction", "site", "source")
        assert [getattr(entry, f) for f in same] == [getattr(SCAN, f) for f in same]
        assert entry.alerts == ()
        assert unpack_passage(pack_passage(entry)) == entry


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_reasons_for_an_outcome_are_taken(outcome: Outcome) -> None:
    for reason in set(OverrideReason) - set(reasons_for(outcome)):
        with pytest.raises(ValueError, match="no reason"):
            overridden(SCAN, 12, outcome, reason, officer=OFFICER, now=LATER)


def test_every_override_reason_can_be_chosen() -> None:
    chosen = {*reasons_for(Outcome.ADMIT), *reasons_for(Outcome.REFUSE)}
    assert chosen == set(OverrideReason)
    assert reasons_for(Outcome.REFER) == ()


@pytest.mark.parametrize("topic", list(CorrectionTopic))
def test_a_correction_says_what_about_whom(topic: CorrectionTopic) -> None:
    entry = correction(SCAN, 12, topic, officer=OFFICER, now=LATER)
    assert (entry.event, entry.about, entry.officer) == (Event.CORRECTION, 12, 4016)
    assert (entry.note, entry.person) == (topic.value, SCAN.person)
    assert (entry.outcome, entry.reasons) == (SCAN.outcome, SCAN.reasons)
    assert unpack_passage(pack_passage(entry)) == entry


def test_an_act_is_about_a_scan_of_somebody() -> None:
    with pytest.raises(ValueError, match="names nobody"):
        correction(
            changed(SCAN, person=None), 1, CorrectionTopic.NAME_WRONG, officer=OFFICER, now=LATER
        )
    act = overridden(SCAN, 1, Outcome.ADMIT, OverrideReason.EMERGENCY, officer=OFFICER, now=LATER)
    with pytest.raises(ValueError, match="on a scan"):
        overridden(act, 2, Outcome.REFUSE, OverrideReason.SAFETY, officer=OFFICER, now=LATER)


@given(st.integers(-5, 300_000), st.integers(-5, 300_000))
def test_a_recount_states_what_was_seen_or_nothing(inside: int, workers: int) -> None:
    sound = 0 <= workers <= inside <= MAX_PEOPLE
    try:
        entry = recount(SITE, "gate-1", inside, workers, officer=OFFICER, now=LATER)
    except ValueError:
        assert not sound
        return
    assert sound
    assert counted(entry.note) == Count(inside, workers)
    assert (entry.event, entry.officer, entry.about) == (Event.COUNT, 4016, None)
    assert unpack_passage(pack_passage(entry)) == entry


def test_every_choice_and_alert_has_words_in_both_languages() -> None:
    texts: list[Text] = [
        *map(override_text, OverrideReason),
        *map(topic_text, CorrectionTopic),
        *map(alert_text, Alert),
        *map(doubt_text, Doubt),
    ]
    for text in texts:
        assert 0 < len(text.vi) <= 34
        assert 0 < len(text.en) <= 34
        assert not text.vi.isascii()
        assert text.en.isascii()
    assert len(set(texts)) == len(texts)
