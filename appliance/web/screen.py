"""The kiosk screen: one publisher, any number of pages, nobody ever waits for a page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import msgspec

from admission.site import Direction
from admission.verdict import LaneState, Outcome, Verdict
from appliance.errors import ApplianceError
from appliance.web.views import (
    Hello,
    Status,
    StatusView,
    VerdictView,
    View,
    event,
    lane_view,
    status_view,
    verdict_view,
)

MAX_VIEWERS = 64
STATUS_EVERY_S = 2.0
"""Between two status messages. A page that hears nothing for three of them says so."""

Topic = tuple[type[View], str]


class TooManyViewers(ApplianceError):  # noqa: N818 - a full house, not a programming error
    """As many pages are open as the appliance serves."""


class ScreenStatistics(msgspec.Struct, frozen=True):
    """Counts since the screen was made. `skipped` messages were replaced by newer ones unread."""

    viewers: int
    skipped: int
    turned_away: int


class Viewer:
    """One open page's mailbox: per topic (kind and lane) the newest message, oldest topic first.

    Bounded by construction: a page that does not read finds the present, not a backlog.
    """

    def __init__(self, lane: str | None) -> None:
        self._lane = lane
        self._waiting: dict[Topic, bytes] = {}
        self._arrived = asyncio.Event()
        self._closed = False
        self.skipped = 0

    def put(self, topic: Topic, frame: bytes) -> None:
        """Leave a message, in place of an unread one on the same topic."""
        if self._lane is not None and topic[1] not in ("", self._lane):
            return
        if self._waiting.pop(topic, None) is not None:
            self.skipped += 1
        self._waiting[topic] = frame
        self._arrived.set()

    async def take(self) -> bytes | None:
        """Return all that waits as one block of events; None once the screen is closed."""
        await self._arrived.wait()
        if self._closed:
            return None
        frames = b"".join(self._waiting.values())
        self._waiting.clear()
        self._arrived.clear()
        return frames

    def close(self) -> None:
        """Let the reader go, now and for good."""
        self._closed = True
        self._arrived.set()


class KioskScreen:
    """The Screen port for pages in a browser. Lives on one loop; call it from there only.

    :param monotonic_ns: the appliance's monotonic clock.
    :param site: the place's name, as people know it.
    :param lanes: names in the order of the panels. A lane first heard of later comes after them.
    :param mirrored: those of them that have a picture of who stands before them.
    :param leaving: those of them that let people out.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        lanes: Iterable[str] = (),
        *,
        site: str = "",
        mirrored: Iterable[str] = (),
        leaving: Iterable[str] = (),
        max_viewers: int = MAX_VIEWERS,
    ) -> None:
        self.build = ""
        self._site = site
        self._mirrored = tuple(mirrored)
        self._leaving = tuple(leaving)
        self._monotonic_ns = monotonic_ns
        self._lanes = list(dict.fromkeys(lanes))
        self._max_viewers = max_viewers
        self._viewers: set[Viewer] = set()
        self._present: dict[Topic, View] = {}
        self._skipped = 0
        self._turned_away = 0
        self._closed = False

    def publish(self, lane: str, verdict: Verdict, holder: str) -> None:
        """Show a verdict on every page that shows this lane, at once. `holder` is masked already.

        A page that connects later shows it for what is left of its time.
        """
        self._show(lane, verdict_view(lane, verdict, holder, self._now_ms()))

    def lane_state(self, lane: str, state: LaneState) -> None:
        """Show that a lane serves or is out of order, until the next state."""
        last = self._present.get((VerdictView, lane))
        if (
            state is LaneState.OUT_OF_ORDER
            and isinstance(last, VerdictView)
            and last.outcome is Outcome.ADMIT
        ):
            # Nobody is to be waved through a gate that no longer obeys.
            del self._present[VerdictView, lane]
        direction = Direction.OUT if lane in self._leaving else Direction.IN
        self._show(lane, lane_view(lane, state, direction))

    def status(self, status: Status, faults: tuple[str, ...] = ()) -> None:
        """Bring the pages' status line up to date; pages take it for the sign of life, too."""
        self._show("", status_view(status, faults, self._now_ms()))

    @contextmanager
    def viewer(self, lane: str | None = None) -> Iterator[Viewer]:
        """Open a mailbox that already holds the present, of one lane or of all.

        :raises TooManyViewers: if `max_viewers` are open.
        """
        if len(self._viewers) >= self._max_viewers:
            self._turned_away += 1
            msg = f"{self._max_viewers} pages are open, as many as this gate serves"
            raise TooManyViewers(msg, hint="Close kiosk pages that nobody looks at.")
        viewer = Viewer(lane)
        self._furnish(viewer)
        self._viewers.add(viewer)
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._skipped += viewer.skipped

    def close(self) -> None:
        """Let every viewer go, and those that come later too. May be called more than once."""
        self._closed = True
        for viewer in self._viewers:
            viewer.close()

    def statistics(self) -> ScreenStatistics:
        """Return the counts so far."""
        skipped = self._skipped + sum(viewer.skipped for viewer in self._viewers)
        return ScreenStatistics(len(self._viewers), skipped, self._turned_away)

    def _show(self, lane: str, view: View) -> None:
        if lane and lane not in self._lanes:
            self._lanes.append(lane)
            self._spread((Hello, ""), self._hello())
        topic: Topic = (type(view), lane)
        self._present.pop(topic, None)
        self._present[topic] = view
        self._spread(topic, view)

    def _spread(self, topic: Topic, view: View) -> None:
        frame = event(view)
        for viewer in self._viewers:
            viewer.put(topic, frame)

    def _furnish(self, viewer: Viewer) -> None:
        viewer.put((Hello, ""), event(self._hello()))
        now_ms = self._now_ms()
        for topic, view in self._present.items():
            if isinstance(view, VerdictView) and now_ms - view.at_ms >= view.shown_ms:
                continue
            if isinstance(view, StatusView):
                view = msgspec.structs.replace(view, now_ms=now_ms)  # noqa: PLW2901
            viewer.put(topic, event(view))
        if self._closed:
            viewer.close()

    def _hello(self) -> Hello:
        return Hello(
            self._now_ms(),
            self.build,
            self._site,
            tuple(self._lanes),
            self._mirrored,
            self._leaving,
        )

    def _now_ms(self) -> int:
        return self._monotonic_ns() // 1_000_000


async def keep_status(
    screen: KioskScreen,
    status: Callable[[], Status],
    faults: Callable[[], tuple[str, ...]],
    *,
    every_s: float = STATUS_EVERY_S,
) -> None:
    """Bring the status line up to date until cancelled; without it pages believe the gate lost.

    :param status: asked every `every_s`; returns at once.
    :param faults: names of what does not work, such as `lambda: health.report().faults`.
    """
    while True:
        screen.status(status(), faults())
        await asyncio.sleep(every_s)
