"""Protects what an officer does: journaled first, once each, in time, by an officer who counts."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from admission.credential import CredentialKind, Doubt, Signature
from admission.officer import CorrectionTopic, OverrideReason
from admission.passage import Event
from admission.standing import CredentialStatus, Officer
from admission.verdict import Alert, Outcome, Reason, Verdict
from appliance.desk.counting import Inside
from appliance.desk.desk import Done
from appliance.desk.refusal import DeskRefusalError, Refusal, refusal_text
from appliance.desk.register import MAX_ALERTED, MAX_RECENT
from appliance.desk.view import choices, desk_view
from tests.appliance.desk.desk_world import (
    ADMITTED,
    IDENTIFIED,
    ISOLATED,
    REFERRED,
    REFUSED,
    DeskWorld,
    a_badge,
)

BINH = Officer(CredentialStatus.ACTIVE, 4001)
CUC = Officer(CredentialStatus.ACTIVE, 4002)
CHECKED = OverrideReason.DOCUMENT_CHECKED


async def refused(act: object) -> Refusal:
    with pytest.raises(DeskRefusalError) as caught:
        await act  # type: ignore[misc]
    return caught.value.refusal


@pytest.fixture
async def world() -> DeskWorld:
    return DeskWorld()


async def test_a_badge_signs_in_the_page_that_waits(world: DeskWorld) -> None:
    cookie, _ = world.desk.sign_in("gate-1", "")
    world.badge(lane="gate-2")
    session = world.desk.session(cookie)
    assert session is not None
    assert session.officer is None
    world.badge(lane="gate-1")
    session = world.desk.session(cookie)
    assert session is not None
    assert session.officer == BINH


@pytest.mark.parametrize("what", ["verdict", "signature", "unknown", "unjournaled"])
async def test_what_is_no_sound_badge_signs_nobody_in(world: DeskWorld, what: str) -> None:
    cookie, _ = world.desk.sign_in("gate-1", "")
    badge, verdict = a_badge(1), IDENTIFIED
    if what == "verdict":  # the law did not identify anybody: stale, revoked, elsewhere
        verdict = Verdict(Outcome.REFER, (Reason.STALE_REPLICA,))
    if what == "signature":
        badge = a_badge(1, Signature.UNKNOWN_ISSUER)
    if what == "unknown":
        badge = a_badge(99)
    world.scan(verdict, credential=badge, journaled=what != "unjournaled")
    session = world.desk.session(cookie)
    assert session is not None
    assert session.officer is None


async def test_an_account_that_is_withdrawn_is_signed_out(world: DeskWorld) -> None:
    cookie = world.signed_in()
    assert world.desk.session(cookie)
    world.book.officers[1] = Officer(CredentialStatus.REVOKED, 4001)
    assert world.desk.session(cookie) is None
    del world.book.officers[1]
    assert world.desk.session(cookie) is None


async def test_an_act_after_the_reset_bears_the_token_of_the_new_day(world: DeskWorld) -> None:
    sequence, nobodys = world.scan(person=99), world.scan(person=None)
    world.tokens.shift = 1_000
    await world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
    await world.desk.override(BINH, nobodys, Outcome.ADMIT, CHECKED)
    await world.desk.correct(BINH, sequence, CorrectionTopic.DOSE_MISSING)
    tokens = [entry.token for entry in world.journal.entries]
    assert tokens == [99, None, 1_099, None, 1_099]


@pytest.mark.parametrize("outcome", [Outcome.ADMIT, Outcome.REFUSE])
async def test_an_override_is_an_entry_about_the_scan(world: DeskWorld, outcome: Outcome) -> None:
    sequence = world.scan(REFERRED, lane="gate-2")
    reason = OverrideReason.DATA_ERROR
    done = await world.desk.override(BINH, sequence, outcome, reason)
    assert done == Done(2)
    (entry, holder), *others = world.lanes["gate-2"].decisions
    assert not others
    assert not world.lanes["gate-1"].decisions
    scanned = world.journal.entries[0]
    assert (entry.event, entry.about, entry.officer) == (Event.OVERRIDE, sequence, 4001)
    assert (entry.outcome, entry.reasons, entry.note) == (
        outcome,
        (Reason.OVERRIDDEN,),
        "data_error",
    )
    assert (entry.person, entry.code_digest) == (scanned.person, scanned.code_digest)
    assert holder == "N***** V** AN"


async def test_a_verdict_is_changed_once(world: DeskWorld) -> None:
    sequence = world.scan()
    await world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
    again = world.desk.override(CUC, sequence, Outcome.ADMIT, CHECKED)
    assert await refused(again) is Refusal.DECIDED_ALREADY


async def test_two_officers_at_once_decide_once(world: DeskWorld) -> None:
    sequence = world.scan()
    results = await asyncio.gather(
        world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED),
        world.desk.override(CUC, sequence, Outcome.ADMIT, CHECKED),
        return_exceptions=True,
    )
    assert [isinstance(result, Done) for result in results] == [True, False]
    assert len(world.lanes["gate-1"].decisions) == 1


async def test_without_an_entry_nothing_moves_and_one_may_try_again(world: DeskWorld) -> None:
    sequence = world.scan()
    world.journal.broken = True
    act = world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
    assert await refused(act) is Refusal.NOT_JOURNALED
    topic = CorrectionTopic.NAME_WRONG
    assert await refused(world.desk.correct(BINH, sequence, topic)) is Refusal.NOT_JOURNALED
    world.journal.broken = False
    assert await world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED) == Done(2)
    assert await world.desk.correct(BINH, sequence, topic) == Done(3)


async def test_a_gate_that_did_not_open_is_told(world: DeskWorld) -> None:
    sequence = world.scan()
    world.lanes["gate-1"].lit = False
    done = await world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
    assert done == Done(2, opened=False)


async def test_an_old_verdict_stands(world: DeskWorld) -> None:
    sequence = world.scan()
    world.clock.advance(120)
    assert world.desk.may_decide(world.desk.register.newest()[0], world.clock.monotonic_ns)
    world.clock.advance(0.001)
    assert not world.desk.may_decide(world.desk.register.newest()[0], world.clock.monotonic_ns)
    act = world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
    assert await refused(act) is Refusal.TOO_LATE
    assert await world.desk.correct(BINH, sequence, CorrectionTopic.NAME_WRONG) == Done(2)


@pytest.mark.parametrize(
    ("verdict", "outcome", "reason", "refusal"),
    [
        (REFUSED, Outcome.REFUSE, OverrideReason.SAFETY, Refusal.NOTHING_TO_DECIDE),
        (ADMITTED, Outcome.ADMIT, CHECKED, Refusal.NOTHING_TO_DECIDE),
        (REFERRED, Outcome.REFER, CHECKED, Refusal.MALFORMED),
        (REFERRED, Outcome.ADMIT, OverrideReason.FALSE_DOCUMENT, Refusal.MALFORMED),
        (REFERRED, Outcome.REFUSE, OverrideReason.EMERGENCY, Refusal.MALFORMED),
    ],
)
async def test_only_another_answer_with_a_reason_for_it(
    world: DeskWorld,
    verdict: Verdict,
    outcome: Outcome,
    reason: OverrideReason,
    refusal: Refusal,
) -> None:
    sequence = world.scan(verdict)
    assert await refused(world.desk.override(BINH, sequence, outcome, reason)) is refusal
    assert len(world.journal.entries) == 1


async def test_a_badge_and_a_stranger_cannot_be_acted_on(world: DeskWorld) -> None:
    world.badge()
    world.scan(REFUSED, journaled=False)
    for sequence in (0, 1, 2, -5, 1 << 70):
        act = world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED)
        assert await refused(act) is Refusal.VERDICT_GONE


async def test_a_correction_names_somebody_and_is_asked_once(world: DeskWorld) -> None:
    nobody, somebody = world.scan(name="", person=None), world.scan()
    topic = CorrectionTopic.DOSE_MISSING
    assert await refused(world.desk.correct(BINH, nobody, topic)) is Refusal.NOBODY_NAMED
    assert await world.desk.correct(BINH, somebody, topic) == Done(3)
    assert await refused(world.desk.correct(CUC, somebody, topic)) is Refusal.ASKED_ALREADY
    assert await world.desk.correct(CUC, somebody, CorrectionTopic.NAME_WRONG) == Done(4)
    entry = world.journal.entries[2]
    assert (entry.event, entry.about, entry.note) == (Event.CORRECTION, somebody, "dose_missing")
    assert not world.lanes["gate-1"].decisions  # nothing lights for it


async def test_a_count_is_an_entry_before_it_counts(world: DeskWorld) -> None:
    assert await world.desk.recount(BINH, "gate-2", 47, 3) == Done(1)
    entry = world.journal.entries[0]
    assert (entry.event, entry.officer, entry.lane) == (Event.COUNT, 4001, "gate-2")
    assert world.desk.counting.inside() == Inside(47, 3, 120, None)
    world.journal.broken = True
    assert await refused(world.desk.recount(BINH, "gate-2", 5, 0)) is Refusal.NOT_JOURNALED
    world.journal.broken = False
    for inside, workers in ((-1, 0), (-1, 4), (1 << 40, 0)):
        act = world.desk.recount(BINH, "gate-2", inside, workers)
        assert await refused(act) is Refusal.MALFORMED
    assert await refused(world.desk.recount(BINH, "gate-2", 3, 4)) is Refusal.MORE_ON_LIST
    assert world.desk.counting.inside() == Inside(47, 3, 120, None)


async def test_a_page_that_goes_away_does_not_cut_a_decision_off(world: DeskWorld) -> None:
    sequence = world.scan()
    held = asyncio.Event()
    append = world.journal.append

    async def slow(entry: object) -> int:
        await held.wait()
        return await append(entry)  # type: ignore[arg-type]

    world.journal.append = slow  # type: ignore[method-assign,assignment]
    page = asyncio.ensure_future(world.desk.override(BINH, sequence, Outcome.ADMIT, CHECKED))
    await asyncio.sleep(0)
    page.cancel()
    await asyncio.sleep(0)
    again = world.desk.override(CUC, sequence, Outcome.ADMIT, CHECKED)
    assert await refused(again) is Refusal.DECIDED_ALREADY
    held.set()
    await asyncio.wait(list(world.desk._acts))
    assert len(world.lanes["gate-1"].decisions) == 1


async def test_greens_do_not_push_an_alert_away_and_all_is_bounded(world: DeskWorld) -> None:
    alert = world.scan(ISOLATED)
    for _ in range(3 * MAX_RECENT):
        world.scan(ADMITTED)
    held = world.desk.register.newest()
    assert len(held) == MAX_RECENT + 1
    assert held[-1].sequence == alert
    assert [one.number for one in held] == sorted((one.number for one in held), reverse=True)
    for _ in range(3 * MAX_ALERTED):
        world.scan(ISOLATED)
    assert len(world.desk.register.newest()) <= MAX_RECENT + MAX_ALERTED


async def test_the_page_learns_no_number_no_name_and_no_fact(world: DeskWorld) -> None:
    cookie = world.signed_in()
    world.scan(ISOLATED, doubts=(Doubt.SEX_DIFFERS,))
    world.scan(Verdict(Outcome.REFER, (Reason.TEST_NEEDED,)), name="W" * 5000 + "\u202e<b>")
    view = desk_view(world.desk, world.desk.session(cookie), "b")
    text = msgspec.json.encode(view).decode()
    assert "NGUYEN" not in text
    assert CredentialKind.PERSONAL_QR.value not in text
    assert "\\u202e" not in text
    assert "\u202e" not in text
    newest, alerted = view.verdicts
    assert len(newest.holder) <= 80
    assert [alert.alert for alert in alerted.alerts] == [Alert.ISOLATION.value]
    assert (alerted.at, alerted.may, alerted.left_ms) == ("08:00:00", (Outcome.ADMIT,), 120_000)
    assert len(alerted.doubts) == 1


async def test_without_a_session_nobody_who_passed_is_told(world: DeskWorld) -> None:
    world.scan()
    waiting, _ = world.desk.sign_in("gate-1", "")
    for cookie, mine in (("", ""), (waiting, "gate-1")):
        view = desk_view(world.desk, world.desk.session(cookie), "b")
        assert (view.verdicts, view.officer, view.waiting) == ((), None, mine)
    stranger = desk_view(world.desk, None, "b")
    assert stranger.token == ""
    assert [seat.taken for seat in stranger.lanes] == [True, False]


async def test_waiting_pages_are_told_at_once(world: DeskWorld) -> None:
    version = world.desk.version
    waiting = asyncio.ensure_future(world.desk.changed(version, 60))
    await asyncio.sleep(0)
    world.scan()
    await asyncio.wait_for(waiting, 5)
    assert world.desk.version > version
    await asyncio.wait_for(world.desk.changed(version, 60), 5)
    world.desk.close()
    await asyncio.wait_for(world.desk.changed(world.desk.version, 60), 5)


def test_every_refusal_and_choice_has_words_in_both_languages() -> None:
    texts = [refusal_text(refusal) for refusal in Refusal]
    every = choices()
    texts += [choice.text for choice in (*every.admit, *every.refuse, *every.topics)]
    assert all(text.en.isascii() and not text.vi.isascii() for text in texts)
    assert len(every.topics) == len(CorrectionTopic)
