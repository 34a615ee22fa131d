"""How the appliance looks from outside: what health, metrics and the kiosk's foot line ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from admission.zone import Zone
from appliance.bridges import LaneBridge, links_of
from appliance.clock import SystemClock
from appliance.gate_standing import standing_of
from appliance.health import Finding, Health, Weight
from appliance.hub_time import HubTime
from appliance.journal_outlook import JournalOutlook
from appliance.lane import Lane
from appliance.metrics import Sources
from appliance.records import Records
from appliance.renewal import Renewal
from appliance.sources import Source
from appliance.web.views import Status
from cache.replica.replicate import Replicator
from firmware_bridge.bridges.absent import ScreenOnlyBridge
from firmware_bridge.errors import BridgeError
from scanner.camera.source import CameraStatistics


class Outlook:
    """Holds what was composed, and answers questions about it from memory."""

    def __init__(
        self,
        *,
        clock: SystemClock,
        records: Records,
        replicator: Replicator,
        hub_time: HubTime,
        zone: Zone,
        renewal: Renewal,
        capacity: int | None = None,
        hub_files: Callable[[], str] = str,
    ) -> None:
        self.records = records
        self.replicator = replicator
        self.hub_time = hub_time
        self.zone = zone
        self.renewal = renewal
        self._capacity = capacity
        self._hub_files = hub_files
        self.lanes: list[Lane] = []
        self.sources: list[Source] = []
        self.bridges: dict[str, LaneBridge] = {}
        self._sources_of: dict[str, list[Source]] = {}
        self._clock = clock
        self._inbox_overflowed: dict[str, Callable[[], int | None]] = {}
        self._frames_dropped: dict[str, Callable[[], int | None]] = {}
        self._frames_bad: dict[str, Callable[[], int | None]] = {}
        self._cameras: dict[str, Callable[[], CameraStatistics | None]] = {}
        self._link_rejected: dict[str, Callable[[], int | None]] = {}
        self._device_up: dict[str, Callable[[], bool | None]] = {}
        records.pace.serving = self.serving

    def add_lane(self, lane: Lane, bridge: LaneBridge, sources: Sequence[Source]) -> None:
        """Take a lane in, with what reads for it and what answers for it."""
        self.lanes.append(lane)
        self.bridges[lane.name] = bridge
        self.sources.extend(sources)
        self._sources_of[lane.name] = list(sources)
        self._inbox_overflowed[lane.name] = lambda: lane.inbox.statistics().overflowed
        self._device_up[f"bridge.{lane.name}"] = lambda: bridge.alive
        if links := links_of(bridge):
            self._link_rejected[lane.name] = lambda: sum(
                link.statistics().rejected_frames for link in links
            )
        for source in sources:
            self._device_up[f"source.{source.name}"] = partial(getattr, source, "up")
            if source.frames_dropped is not None:
                self._frames_dropped[source.name] = partial(getattr, source, "frames_dropped")
                self._frames_bad[source.name] = partial(getattr, source, "frames_bad")
                self._cameras[source.name] = source.statistics

    def metric_sources(self) -> Sources:
        """Return what metrics pull at each scrape; lanes added later are in it, too."""
        return Sources(
            inbox_overflowed=self._inbox_overflowed,
            frames_dropped=self._frames_dropped,
            frames_bad=self._frames_bad,
            cameras=self._cameras,
            link_rejected=self._link_rejected,
            device_up=self._device_up,
            journal_pending=lambda: self.records.pending,
            upload_attempts=lambda: self.records.uplink.status().attempts,
            upload_failures=lambda: self.records.uplink.status().failures,
            sync_last_success_s=self._last_contact_s,
            replica_sequence=lambda: self.replicator.status().sequence,
            replica_unreadable=lambda: self.replicator.status().unreadable_lookups,
            replica_damaged_pages=lambda: self.replicator.status().damaged_pages,
            clock_trust=lambda: self._clock.now().trust,
        )

    def kiosk_status(self) -> Status:
        """Return the line at the foot of the kiosk's page."""
        replica = self.replicator.status()
        now = self._clock.now()
        ago_s = None if replica.issued_ns is None else (now.wall_ns - replica.issued_ns) / 1e9
        return Status(
            synchronised_ago_s=ago_s,
            pending=self.records.pending,
            clock=now.trust,
            hub_reachable=replica.last_success is not None and not replica.last_error,
            inside=None if self._capacity is None else self.zone.count(now).inside,
            capacity=self._capacity,
        )

    def describe(self, health: Health) -> None:
        """Add a check for each lane, source, and store of this appliance."""
        for lane in self.lanes:
            health.add(f"lane.{lane.name}", partial(self._lane, lane))
            health.add(f"gate.{lane.name}", partial(self._gate, lane), Weight.NOTE)
            for source in self._sources_of[lane.name]:
                health.add(f"source.{source.name}", partial(_source, source), Weight.NOTE)
                health.add(f"decoder.{source.name}", partial(_decoder, source), Weight.VITAL)
        JournalOutlook(self.records).describe(health)
        health.add("replica", self._replica)
        health.add("hub", self._hub, Weight.NOTE)
        health.add("clock", self._clock_trust)
        health.add("identity", self.renewal.finding, Weight.NOTE)
        health.add("zone", self._zone, Weight.NOTE)

    @property
    def frames_dropped(self) -> int:
        """Frames that all cameras together never had looked at."""
        return sum(source.frames_dropped or 0 for source in self.sources)

    def serving(self) -> bool:
        """Return whether any lane is serving somebody at this moment."""
        return any(lane.serving for lane in self.lanes)

    def can_read(self, lane: str) -> bool:
        """Return whether any source of a lane is up."""
        return any(source.up for source in self._sources_of[lane])

    def _lane(self, lane: Lane) -> Finding:
        bridge = self.bridges[lane.name]
        if not bridge.alive:
            error = None if isinstance(bridge, ScreenOnlyBridge) else bridge.last_error
            return Finding(ok=False, why=f"out of order: {_words(error)}")
        standing = standing_of(bridge)
        if standing.obstacle:
            return Finding(ok=False, why=f"out of order: {standing.obstacle}")
        if not self.can_read(lane.name):
            return Finding(ok=False, why="none of its sources can read")
        return Finding(ok=True, facts={"waiting": lane.inbox.statistics().waiting})

    def _gate(self, lane: Lane) -> Finding:
        standing = standing_of(self.bridges[lane.name])
        facts: dict[str, str | int | float | bool | None] = {
            "stop": standing.stop,
            "fire": standing.fire,
            "tamper": standing.tamper,
            "ready": standing.ready,
            "alarms_unseen": lane.alarms_unseen or None,
        }
        why = standing.concern
        if lane.unshown is not None and not why:
            why = f"the last signals were not shown: {_words(lane.unshown)}"
        return Finding(ok=not why, why=why, facts=facts)

    def _replica(self) -> Finding:
        status = self.replicator.status()
        facts: dict[str, str | int | float | bool | None] = {
            "release": status.sequence,
            "identifiers": status.rows,
            "damaged_pages": status.damaged_pages,
            "documents": status.documents,
            "missing_files": status.missing,
            "healed_pages": status.healed_pages,
        }
        facts |= {f"rows.{kind}": rows for kind, rows in status.datasets.items()}
        facts |= {f"change.{kind}": number for kind, number in status.numbers.items()}
        if status.sequence is None:
            return Finding(ok=False, why=status.last_error or "no release yet", facts=facts)
        why = f"{status.damaged_pages} pages are damaged" if status.damaged_pages else ""
        if status.missing:
            why = f"{status.missing} files of the release are lost, until the hub is reached"
        if status.documents_error:
            why = f"the documents of the release were not taken: {status.documents_error}"
        if status.expires_ns is not None and self._clock.now().wall_ns >= status.expires_ns:
            why = "the hub has not vouched for the release for too long: everybody is referred"
        return Finding(ok=not why, why=why, facts=facts)

    def _hub(self) -> Finding:
        replica = self.replicator.status()
        uplinks = self.records.upload_statuses()
        # The upload first: that the hub denies this gate must not stand behind another fault.
        said = [(uplink.last_error, uplink.hint) for uplink in uplinks]
        said += [(replica.last_error, replica.last_error_hint), (replica.trust_error, "")]
        said += [(uplink.notice, "") for uplink in uplinks] + [(self._hub_files(), "")]
        why, hint = next(((why, hint) for why, hint in said if why), ("", ""))
        facts: dict[str, str | int | float | bool | None] = {
            "acknowledged_through": uplinks[0].acknowledged_through,
            "attempts": uplinks[0].attempts,
            "clock_behind_hub_s": uplinks[0].skew_s,
            "sent_again": uplinks[0].sent_again or None,
        }
        return Finding(ok=not why, why=f"{why} ({hint})" if hint else why, facts=facts)

    def _clock_trust(self) -> Finding:
        now = self._clock.now()
        why = ""
        if not now.dated:
            asked = self.hub_time.last_error or "the hub has not been asked yet"
            why = (
                "the clock is behind a time that is known to have passed: set it right"
                if self._clock.disciplined
                else f"nobody vouches for the date: {asked}"
            )
        facts: dict[str, str | int | float | bool | None] = {
            "trust": str(now.trust),
            "ntp": self._clock.disciplined,
        }
        return Finding(ok=not why, why=why, facts=facts)

    def _zone(self) -> Finding:
        count = self.zone.count(self._clock.now())
        over = self._capacity is not None and count.inside > self._capacity
        why = "more are counted inside than may be: correct the count" if over else ""
        facts: dict[str, str | int | float | bool | None] = {
            "inside": count.inside,
            "on_roster": count.workers,
            "capacity": self._capacity,
        }
        return Finding(ok=not over, why=why, facts=facts)

    def _last_contact_s(self) -> float | None:
        """Return when the hub last vouched for what answers here: known after a restart, too."""
        status = self.replicator.status()
        if status.last_success is not None:
            return status.last_success.wall_ns / 1e9
        return None if status.issued_ns is None else status.issued_ns / 1e9


def _words(error: Exception | None) -> str:
    if error is None:
        return "the board is silent"
    if not isinstance(error, BridgeError):  # a message of others may quote what it likes
        return type(error).__name__
    return f"{error} ({error.hint})" if error.hint else str(error)


def _decoder(source: Source) -> Finding:
    return Finding(ok=source.alive, why="" if source.alive else "a thread of it hangs")


def _source(source: Source) -> Finding:
    why = "" if source.up else source.failure or "not open yet"
    return Finding(ok=source.up, why=why, facts={"device": source.device} if source.device else {})
