"""Who is signed in at the desk: a page asks for a lane, a badge at that lane's reader opens it.

Pure but for the randomness that is passed in; all times are monotonic nanoseconds. Bounded: one
page waits per lane, an officer has one open session, and there are never more than `MAX_OPEN`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from admission.credential import Credential
from admission.standing import Officer
from appliance.desk.refusal import DeskRefusalError, Refusal

SECRET_BYTES = 32
WAIT_NS = 30_000_000_000
"""How long a page waits for the badge."""
MAX_OPEN = 16
MAX_ATTEMPTS = 6
ATTEMPTS_WITHIN_NS = 60_000_000_000


class Session(msgspec.Struct):
    """One page's session. It waits for a badge at `lane` while `officer` is None.

    `until_ns` is when the wait, or the idle time of an open session, is over. `badge` is kept to
    be judged anew: an account that is withdrawn ends its session.
    """

    cookie_sha256: bytes
    token: str
    lane: str
    until_ns: int
    officer: Officer | None = None
    badge: Credential | None = None

    def has_token(self, token: str) -> bool:
        """Return whether this is the session's token, in a time that tells nothing."""
        return hmac.compare_digest(self.token.encode(), token.encode("utf-8", "surrogatepass"))


class Sessions:
    """All sessions of one desk.

    :param random_bytes: secret randomness, such as `os.urandom`.
    :param idle_ns: an open session ends after so long without an act.
    """

    def __init__(
        self, lanes: Iterable[str], *, random_bytes: Callable[[int], bytes], idle_ns: int
    ) -> None:
        self.idle_ns = idle_ns
        self._random_bytes = random_bytes
        self._attempts: dict[str, deque[int]] = {lane: deque(maxlen=MAX_ATTEMPTS) for lane in lanes}
        self._waiting: dict[str, Session] = {}
        self._open: dict[int, Session] = {}

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes at whose readers a badge may be shown."""
        return tuple(self._attempts)

    def begin(self, lane: str, now_ns: int, *, cookie: str = "") -> tuple[str, Session]:
        """Return a new cookie (64 hex digits) and its session, which waits at this lane.

        A cookie that came with the request is never adopted; if its session waited, that wait ends.

        :raises DeskRefusalError: if the lane is unknown or taken, or was asked for too often.
        """
        if lane not in self._attempts:
            raise DeskRefusalError(Refusal.LANE_UNKNOWN)
        self._expire(now_ns)
        mine = self._waiting.get(lane)
        if mine is not None and mine.cookie_sha256 != _digest(cookie):
            raise DeskRefusalError(Refusal.LANE_TAKEN)
        attempts = self._attempts[lane]
        if len(attempts) == MAX_ATTEMPTS and now_ns - attempts[0] < ATTEMPTS_WITHIN_NS:
            raise DeskRefusalError(Refusal.TOO_MANY_ATTEMPTS)
        attempts.append(now_ns)
        self.end(cookie)
        fresh = self._random_bytes(SECRET_BYTES).hex()
        token = self._random_bytes(SECRET_BYTES).hex()
        session = Session(_digest(fresh), token, lane, now_ns + WAIT_NS)
        self._waiting[lane] = session
        return fresh, session

    def badge(self, lane: str, officer: Officer, badge: Credential, now_ns: int) -> bool:
        """Open the session that waits at this lane; False if none does.

        Another session of the same officer ends: who has left a tablet behind takes it over.
        """
        self._expire(now_ns)
        session = self._waiting.pop(lane, None)
        if session is None:
            return False
        self._attempts[lane].clear()
        self._open.pop(officer.number, None)
        if len(self._open) >= MAX_OPEN:
            del self._open[min(self._open, key=lambda number: self._open[number].until_ns)]
        session.officer, session.badge = officer, badge
        session.until_ns = now_ns + self.idle_ns
        self._open[officer.number] = session
        return True

    def find(self, cookie: str, now_ns: int) -> Session | None:
        """Return the session of this cookie, waiting or open."""
        self._expire(now_ns)
        wanted = _digest(cookie)
        everyone = (*self._open.values(), *self._waiting.values())
        return next((s for s in everyone if s.cookie_sha256 == wanted), None)

    def stay(self, session: Session, now_ns: int) -> None:
        """Let an open session's idle time begin anew."""
        if session.officer is not None:
            session.until_ns = now_ns + self.idle_ns

    def end(self, cookie: str) -> None:
        """End the session of this cookie, if there is one."""
        wanted = _digest(cookie)
        self._keep(lambda session: session.cookie_sha256 != wanted)

    def is_taken(self, lane: str, now_ns: int) -> bool:
        """Return whether a page waits for a badge at this lane."""
        self._expire(now_ns)
        return lane in self._waiting

    def _expire(self, now_ns: int) -> None:
        self._keep(lambda session: session.until_ns > now_ns)

    def _keep(self, counts: Callable[[Session], bool]) -> None:
        self._waiting = {lane: s for lane, s in self._waiting.items() if counts(s)}
        self._open = {number: s for number, s in self._open.items() if counts(s)}


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).digest()
