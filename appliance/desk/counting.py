"""How many are inside, as the officer sees and corrects it."""

from __future__ import annotations

import msgspec

from admission.officer import recount
from admission.people import Count
from admission.ports import Clock, Journal
from admission.site import Site
from admission.standing import Officer
from admission.zone import Zone
from appliance.desk.refusal import DeskRefusalError, Refusal


class Inside(msgspec.Struct, frozen=True):
    """The zone's count and the site's limits, None where it has none."""

    inside: int
    workers: int
    capacity: int | None
    headcount: int | None


class Counting:
    """The zone of one appliance at the desk."""

    def __init__(self, zone: Zone, site: Site, *, clock: Clock, journal: Journal) -> None:
        self._zone = zone
        self._site = site
        self._clock = clock
        self._journal = journal

    def inside(self) -> Inside | None:
        """Return the count, None at a site that limits nothing."""
        demands = self._site.demands
        if demands.capacity is None and demands.headcount is None:
            return None
        count: Count = self._zone.count(self._clock.now())
        return Inside(count.inside, count.workers, demands.capacity, demands.headcount)

    async def correct(self, officer: Officer, lane: str, inside: int, workers: int) -> int:
        """State how many are inside: the entry first, then the count. Return its sequence.

        :raises DeskRefusalError: if these are no counts, more are on the list than inside, or the
            entry could not be made.
        """
        now = self._clock.now()
        try:
            entry = recount(self._site, lane, inside, workers, officer=officer, now=now)
        except ValueError as error:
            more = 0 <= inside < workers
            raise DeskRefusalError(Refusal.MORE_ON_LIST if more else Refusal.MALFORMED) from error
        try:
            sequence = await self._journal.append(entry)
        except Exception as error:
            raise DeskRefusalError(Refusal.NOT_JOURNALED) from error
        self._zone.set_inside(inside, workers, now)
        return sequence
