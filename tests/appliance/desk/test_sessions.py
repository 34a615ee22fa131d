"""Protects the desk's sessions: one waits per lane, a badge opens it, time and others end it."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from admission.standing import CredentialStatus, Officer
from appliance.desk.refusal import DeskRefusalError, Refusal
from appliance.desk.sessions import (
    ATTEMPTS_WITHIN_NS,
    MAX_ATTEMPTS,
    MAX_OPEN,
    SECRET_BYTES,
    WAIT_NS,
    Session,
    Sessions,
)
from tests.appliance.desk.desk_world import a_badge

LANES = ("gate-1", "gate-2")
IDLE_NS = 600_000_000_000


class Draw:
    """Counts instead of drawing, so that no two secrets are alike."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, count: int) -> bytes:
        assert count == SECRET_BYTES
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")


def sessions() -> Sessions:
    return Sessions(LANES, random_bytes=Draw(), idle_ns=IDLE_NS)


def officer(number: int) -> Officer:
    return Officer(CredentialStatus.ACTIVE, number)


def refusal(act: object, *arguments: object, **named: object) -> Refusal:
    assert callable(act)
    with pytest.raises(DeskRefusalError) as caught:
        act(*arguments, **named)
    return caught.value.refusal


def opened(desk: Sessions, number: int, now_ns: int, lane: str = "gate-1") -> tuple[str, Session]:
    cookie, session = desk.begin(lane, now_ns)
    assert desk.badge(lane, officer(number), a_badge(), now_ns)
    return cookie, session


def test_a_badge_opens_the_session_that_waits_at_its_lane_and_no_other() -> None:
    desk = sessions()
    first, waiting = desk.begin("gate-1", 0)
    second, other = desk.begin("gate-2", 0)
    assert desk.badge("gate-2", officer(5), a_badge(), 1)
    assert (waiting.officer, other.officer) == (None, officer(5))
    assert desk.find(second, 1) is other
    assert desk.find(first, 1) is waiting
    assert not desk.badge("gate-2", officer(5), a_badge(), 1)


def test_the_secrets_are_long_and_different() -> None:
    cookie, session = sessions().begin("gate-1", 0)
    assert len(bytes.fromhex(cookie)) == len(bytes.fromhex(session.token)) == 32
    assert cookie != session.token
    assert cookie.encode() not in session.cookie_sha256
    assert session.has_token(session.token)
    for wrong in ("", cookie, session.token[:-1], "\ud800"):
        assert not session.has_token(wrong)


def test_one_page_waits_at_a_lane_until_its_time_is_over() -> None:
    desk = sessions()
    desk.begin("gate-1", 0)
    assert refusal(desk.begin, "gate-1", WAIT_NS - 1) is Refusal.LANE_TAKEN
    assert refusal(desk.begin, "gate-1", 5, cookie="00") is Refusal.LANE_TAKEN
    assert desk.is_taken("gate-1", WAIT_NS - 1)
    assert not desk.is_taken("gate-1", WAIT_NS)
    assert not desk.badge("gate-1", officer(1), a_badge(), WAIT_NS)
    desk.begin("gate-1", WAIT_NS)


def test_a_page_may_begin_again_and_never_keeps_its_cookie() -> None:
    desk = sessions()
    cookie, _ = desk.begin("gate-1", 0)
    fresh, session = desk.begin("gate-1", 1, cookie=cookie)
    assert fresh != cookie
    assert desk.find(cookie, 1) is None
    elsewhere, _ = desk.begin("gate-2", 2, cookie=fresh)
    assert desk.find(fresh, 2) is None
    assert not desk.is_taken("gate-1", 2)
    assert desk.find(elsewhere, 2) is not session


def test_a_planted_cookie_is_not_adopted() -> None:
    desk = sessions()
    cookie, _ = desk.begin("gate-1", 0, cookie="planted")
    assert cookie != "planted"
    assert desk.find("planted", 0) is None


def test_attempts_at_a_lane_are_few_until_an_officer_comes() -> None:
    desk = sessions()
    cookie = ""
    for _ in range(MAX_ATTEMPTS):
        cookie, _ = desk.begin("gate-1", 0, cookie=cookie)
    assert refusal(desk.begin, "gate-1", 1, cookie=cookie) is Refusal.TOO_MANY_ATTEMPTS
    desk.begin("gate-2", 1)
    assert desk.badge("gate-1", officer(1), a_badge(), 2)
    cookie, _ = desk.begin("gate-1", 3)
    for _ in range(MAX_ATTEMPTS - 1):
        cookie, _ = desk.begin("gate-1", 3, cookie=cookie)
    assert refusal(desk.begin, "gate-1", 4, cookie=cookie) is Refusal.TOO_MANY_ATTEMPTS
    desk.begin("gate-1", 3 + ATTEMPTS_WITHIN_NS)
    assert refusal(desk.begin, "gate-9", 4) is Refusal.LANE_UNKNOWN


def test_idle_time_ends_a_session_and_a_touch_renews_it() -> None:
    desk = sessions()
    cookie, session = opened(desk, 1, 0)
    assert desk.find(cookie, IDLE_NS - 1) is session
    desk.stay(session, IDLE_NS - 1)
    assert desk.find(cookie, 2 * IDLE_NS - 2) is session
    assert desk.find(cookie, 2 * IDLE_NS - 1) is None


def test_staying_does_not_prolong_a_wait() -> None:
    desk = sessions()
    cookie, session = desk.begin("gate-1", 0)
    desk.stay(session, WAIT_NS - 1)
    assert desk.find(cookie, WAIT_NS) is None


def test_an_officer_has_one_session_the_newest() -> None:
    desk = sessions()
    left_behind, _ = opened(desk, 1, 0)
    taken_over, session = opened(desk, 1, 1, lane="gate-2")
    assert desk.find(left_behind, 1) is None
    assert desk.find(taken_over, 1) is session


def test_signing_out_ends_one_session() -> None:
    desk = sessions()
    first, _ = opened(desk, 1, 0)
    second, session = opened(desk, 2, 0)
    desk.end(first)
    desk.end("unknown")
    assert desk.find(first, 0) is None
    assert desk.find(second, 0) is session


def test_more_officers_than_there_is_room_for_end_the_longest_idle() -> None:
    desk = sessions()
    cookies = [opened(desk, number, number)[0] for number in range(MAX_OPEN + 1)]
    assert desk.find(cookies[0], 100) is None
    assert all(desk.find(cookie, 100) for cookie in cookies[1:])


def test_an_officer_who_signs_in_again_ends_nobody_else() -> None:
    desk = sessions()
    cookies = [opened(desk, number, number)[0] for number in range(MAX_OPEN)]
    opened(desk, 5, 100)
    assert [bool(desk.find(cookie, 100)) for cookie in cookies].count(True) == MAX_OPEN - 1
    assert desk.find(cookies[5], 100) is None


class AnyPages(RuleBasedStateMachine):
    """Whatever pages and badges do in whatever order: bounded, and only a badge opens."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = sessions()
        self.now_ns = 0
        self.cookies = [""]

    @rule(lane=st.sampled_from([*LANES, "gate-9"]), which=st.integers(0))
    def begin(self, lane: str, which: int) -> None:
        try:
            cookie, session = self.desk.begin(
                lane, self.now_ns, cookie=self.cookies[which % len(self.cookies)]
            )
        except DeskRefusalError:
            return
        assert session.officer is None
        self.cookies = [*self.cookies[-8:], cookie]

    @rule(lane=st.sampled_from(LANES), number=st.integers(0, 30))
    def badge(self, lane: str, number: int) -> None:
        waited = self.desk.is_taken(lane, self.now_ns)
        assert self.desk.badge(lane, officer(number), a_badge(), self.now_ns) is waited

    @rule(seconds=st.sampled_from([0, 1, 29, 31, 61, 601]))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * 1_000_000_000

    @rule(which=st.integers(0))
    def end(self, which: int) -> None:
        self.desk.end(self.cookies[which % len(self.cookies)])

    @invariant()
    def bounded(self) -> None:
        assert len(self.desk._waiting) <= len(LANES)
        assert len(self.desk._open) <= MAX_OPEN
        for cookie in self.cookies:
            session = self.desk.find(cookie, self.now_ns)
            assert session is None or session.until_ns > self.now_ns


TestAnyPages = AnyPages.TestCase
TestAnyPages.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
