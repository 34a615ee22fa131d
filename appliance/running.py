"""One composed appliance at work: what runs, what watches, and how it comes to an end."""

from __future__ import annotations

import asyncio

from appliance.config import Config
from appliance.crew import Crew
from appliance.health import Health
from appliance.law_keeping import LawKeeper
from appliance.outlook import Outlook
from appliance.plugging import Plugging
from appliance.pseudonyms import Pseudonyms
from appliance.web.screen import KioskScreen, keep_status

WATCH_S = 0.25
"""How often lanes are looked at: a silent board shows OUT OF ORDER within a second."""
DRAIN_TIMEOUT_S = 0.7
"""For the sources, and again for the lanes: Ctrl-C ends the whole within two seconds."""


class Appliance:
    """One appliance, composed. `start` gives its work to a crew, `drain` ends what it takes in."""

    def __init__(
        self,
        config: Config,
        *,
        kiosk_url: str,
        outlook: Outlook,
        screen: KioskScreen,
        health: Health,
        plugging: Plugging,
        keeper: LawKeeper,
        pseudonyms: Pseudonyms,
    ) -> None:
        self.config = config
        self.kiosk_url = kiosk_url
        self.outlook = outlook
        self.health = health
        self._screen = screen
        self._plugging = plugging
        self._keeper = keeper
        self._pseudonyms = pseudonyms
        self._source_tasks: list[asyncio.Task[None]] = []
        self._lane_tasks: list[asyncio.Task[None]] = []

    def start(self, crew: Crew) -> None:
        """Give the crew everything that runs. What fails beyond repair ends the crew."""
        outlook = self.outlook
        crew.add("replicate", outlook.replicator.run())
        crew.add("law", self._keeper.run())
        crew.add("pseudonyms", self._pseudonyms.run())
        crew.add("journal keeping", outlook.records.keeping.run())
        for number, uplink in enumerate(outlook.records.uplinks):
            crew.add(f"uplink {number}", uplink.run())
        crew.add("journal index", outlook.records.projector.run())
        crew.add("hub time", outlook.hub_time.run())
        crew.add("renewal", outlook.renewal.run())
        crew.add("watch lanes", self._watch_lanes())
        crew.add("plugging", self._plugging.run())
        crew.add(
            "kiosk status",
            keep_status(self._screen, outlook.kiosk_status, lambda: self.health.report().faults),
        )
        for name, bridge in outlook.bridges.items():
            crew.add(f"bridge {name}", bridge.run())
        for lane in outlook.lanes:
            self._lane_tasks.append(crew.add(f"lane {lane.name}", lane.run()))
        for source in outlook.sources:
            self._source_tasks.append(crew.add(f"source {source.name}", source.run()))

    async def drain(self) -> None:
        """Stop taking readings in, and finish those that were: no scan is cut off in its walk."""
        for task in self._source_tasks:
            task.cancel()
        if self._source_tasks:
            await asyncio.wait(self._source_tasks, timeout=DRAIN_TIMEOUT_S)
        for lane in self.outlook.lanes:
            lane.inbox.close()
        if self._lane_tasks:
            await asyncio.wait(self._lane_tasks, timeout=DRAIN_TIMEOUT_S)

    async def _watch_lanes(self) -> None:
        while True:
            for lane in self.outlook.lanes:
                lane.announce_state()
            await asyncio.sleep(WATCH_S)
