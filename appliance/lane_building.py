"""Builds one lane of an appliance from its table: what reads, what judges, what answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from admission.attempts import Attempts
from admission.ports import Book, Journal
from admission.reading import Reading
from admission.repeat import Presentations, UsedOnce
from admission.site import Site
from admission.standing import Release
from admission.zone import Zone
from appliance.admissions import Admissions, LookBack
from appliance.bridges import BridgeRack
from appliance.camera_table import CameraSourceTable
from appliance.clock import SystemClock
from appliance.config import LaneTable, ScenesSourceTable
from appliance.entry_log import EntryLog
from appliance.event_pace import EventPace
from appliance.feedback import Feedback
from appliance.gate_standing import standing_of
from appliance.gate_watch import GateWatch
from appliance.inbox import Inbox
from appliance.journal_table import WhenUnavailable
from appliance.judging import Judge, LawSource, Tokens
from appliance.lane import Lane
from appliance.lane_signals import LaneSignals
from appliance.metrics import Metrics
from appliance.observation import Observer
from appliance.outlook import Outlook
from appliance.sound_table import quiet_from
from appliance.sources import Source, open_source
from appliance.web.mirror import Mirrors
from appliance.web.screen import KioskScreen
from scanner.camera.look import Look

CAMERAS = (CameraSourceTable, ScenesSourceTable)


class SharedParts(msgspec.Struct, frozen=True):
    """What all lanes of one appliance have in common."""

    site: Site
    clock: SystemClock
    rng: random.Random
    law: LawSource
    book: Book
    release: Callable[[], Release | None]
    """The knowledge in force, None before the first."""
    zone: Zone
    used: UsedOnce
    attempts: Mapping[str, Attempts]
    """Wrong numbers from before the start, by lane."""
    tokens: Tokens
    digest_key: bytes
    journal: Journal
    look_back: LookBack
    policy: WhenUnavailable
    screen: KioskScreen
    mirrors: Mirrors
    metrics: Metrics
    observer: Observer
    feedback: Feedback
    outlook: Outlook


def add_lanes(tables: Sequence[LaneTable], parts: SharedParts) -> None:
    """Build the lanes, and take them in wherever lanes are asked about.

    :raises ConfigError: if a table names a bridge that cannot be.
    """
    rack = BridgeRack(tables, parts.clock, parts.metrics)
    for table in tables:
        _add_lane(table, parts, rack)


def _add_lane(table: LaneTable, parts: SharedParts, rack: BridgeRack) -> None:
    log = EntryLog(
        parts.journal,
        policy=parts.policy,
        failed=partial(parts.observer.failed, table.name, "journal"),
    )
    watch = _watch(table, log, parts)
    bridge = rack.bridge_for(table, watch.sensed)
    lane = Lane(
        table.name,
        _judge(table, parts),
        zone=parts.zone,
        clock=parts.clock,
        log=log,
        bridge=bridge,
        screen=parts.screen,
        inbox=Inbox(asyncio.get_running_loop()),
        presentations=Presentations(int(table.rearm_s * 1e9)),
        observer=parts.observer,
        can_read=parts.outlook.can_read,
        tuned=_signals(table, parts),
        can_open=lambda: not standing_of(bridge).obstacle,
        watch=watch,
    )
    sources = _sources(table, lane, parts, looked=parts.mirrors.looked(lane.name))
    parts.feedback.add(sources)
    parts.outlook.add_lane(lane, bridge, sources)


def _watch(table: LaneTable, log: EntryLog, parts: SharedParts) -> GateWatch:
    pace = EventPace()
    return GateWatch(
        table.name,
        parts.site,
        log=log,
        zone=parts.zone,
        clock=parts.clock,
        admissions=Admissions(table.name, parts.look_back, parts.clock.now, pace),
        observer=parts.observer,
        pace=pace,
        direction=table.direction,
        side=table.gate.side_for(table.direction),
    )


def _signals(table: LaneTable, parts: SharedParts) -> LaneSignals:
    return LaneSignals(
        gate=table.gate.side_for(table.direction).gate,
        pulse_ms=table.gate.pulse_ms,
        quiet=quiet_from(table.sound),
        site=parts.site,
        clock=parts.clock,
        release=parts.release,
    )


def _judge(table: LaneTable, parts: SharedParts) -> Judge:
    return Judge(
        table.name,
        parts.site,
        law=parts.law,
        book=parts.book,
        zone=parts.zone,
        used=parts.used,
        tokens=parts.tokens,
        direction=table.direction,
        digest_key=parts.digest_key,
        attempts=parts.attempts.get(table.name),
    )


def _sources(
    table: LaneTable, lane: Lane, parts: SharedParts, *, looked: Callable[[Look], None] | None
) -> list[Source]:
    """Return the lane's sources; its first camera tells `looked` what it sees."""
    first = next((source for source in table.sources if isinstance(source, CAMERAS)), None)

    def deliver(reading: Reading) -> None:
        parts.metrics.reading(lane.name, reading.source)
        lane.inbox.offer(reading)

    return [
        open_source(
            source,
            deliver,
            monotonic_ns=parts.clock.monotonic_ns,
            rng=parts.rng,
            looked=looked if source is first else None,
        )
        for source in table.sources
    ]
