"""Builds the doors of one appliance from its configuration, and takes them down in order."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from admission.ports import Book, Clock, Journal
from admission.site import Direction
from admission.zone import Zone
from appliance.admissions import JournalLookBack
from appliance.attempts_keeping import recalled_attempts
from appliance.clock import SystemClock
from appliance.config import Config, site_of
from appliance.control import controlled
from appliance.control_answers import control_answers
from appliance.desk.desk import Desk
from appliance.documents import Documents
from appliance.enquiries import Enquiries
from appliance.feedback import Feedback
from appliance.health import Health, Weight
from appliance.hub_client import hub_clients, tls_of
from appliance.hub_source import HubSource
from appliance.hub_time import HubTime
from appliance.identity import identity_of
from appliance.identity_metrics import IdentityMetrics
from appliance.journal_counts import JournalCounts
from appliance.journal_metrics import JournalMetrics
from appliance.journal_table import keeping_from, settings_from
from appliance.judging import Tokens
from appliance.kept_uses import kept_uses
from appliance.lane_building import CAMERAS, SharedParts, add_lanes
from appliance.law_keeping import kept_law
from appliance.metrics import Metrics
from appliance.observation import Observer
from appliance.observers import Observers
from appliance.outlook import Outlook
from appliance.plugging import Plugging
from appliance.pseudonym_key import key_place
from appliance.pseudonyms import Pseudonyms
from appliance.records import JOURNAL, open_records
from appliance.renewal import Renewal
from appliance.replica_keeping import (
    IMPORTED,
    REPLICA,
    TRUST,
    kept_store,
    kept_trust,
    subscription_of,
)
from appliance.replica_metrics import ReplicaMetrics
from appliance.running import Appliance
from appliance.sealing_key import SealingKey
from appliance.state_folder import made_folder, own_keys
from appliance.uplink_http import HttpTransport
from appliance.uplink_metrics import UplinkMetrics
from appliance.web.desk import DeskPages
from appliance.web.mirror import Mirrors
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve
from appliance.zone_keeping import recalled_zone, zone_plan_of
from appliance.zone_metrics import ZoneMetrics
from cache.journal.file_journal import JournalSettings
from cache.replica.book import ReplicaBook
from cache.replica.directory_source import DirectorySource
from cache.replica.keys import load_hash_key
from cache.replica.replicate import Replicator


@asynccontextmanager
async def composed(
    config: Config,
    *,
    clock: SystemClock,
    rng: random.Random,
    observers: Sequence[Observer] = (),
    journal: JournalSettings | None = None,
) -> AsyncIterator[Appliance]:
    """Build an appliance; it is taken down, journal last, when the block ends.

    :param observers: told of every scan, besides the metrics.
    :param journal: bounds of the journal, in place of those that the configuration gives.
    :raises ConfigError: if a file that the configuration names cannot be used.
    :raises admission.errors.RulebookError: if the rulebook cannot be used.
    :raises cache.errors.CacheError: if the journal or the replica's folder cannot be used.
    :raises ApplianceError: if the kiosk cannot be served.
    """
    state = made_folder(Path(config.appliance.state_dir))
    digest_key, key = own_keys(state)
    hash_key = load_hash_key(Path(config.hub.hash_key_file))
    trust = kept_trust(state / TRUST, Path(config.hub.root_file))

    async with contextlib.AsyncExitStack() as stack:
        client, undated = await stack.enter_async_context(
            hub_clients(tls_of(config.hub.ca_file, identity_of(state)), config.hub.proxy, clock.now)
        )

        documents = Documents()
        sealing = SealingKey(documents)
        keeper = await stack.enter_async_context(
            kept_law(config, documents, monotonic_ns=clock.monotonic_ns, rng=rng)
        )
        book = ReplicaBook(hash_key)
        book.also_withdrawn = keeper.law.is_withdrawn
        store = stack.enter_context(
            kept_store(state / REPLICA, subscription_of(config), trust, hash_key)
        )
        replicator = Replicator(
            [HubSource(client, config.hub.url), DirectorySource(state / REPLICA / IMPORTED)],
            store,
            book,
            clock,
            on_head=lambda head: clock.note_head(head.issued_ns),
            on_documents=documents.replace,
            interval_s=config.hub.poll_s,
            jitter=rng.random,
        )
        if await replicator.open() and (release := book.release):
            clock.note_head(release.vouched_ns)
        await keeper.take()
        site, plan = site_of(config), zone_plan_of(config)
        records = await stack.enter_async_context(
            open_records(
                state,
                HttpTransport(client, config.hub.url, clock),
                device=config.appliance.device,
                key=key,
                head_keys=lambda: trust.head_keys,
                clock=clock,
                rng=rng,
                settings=journal or settings_from(config.journal),
                kept=keeping_from(config.journal.keep_days),
                recipient=lambda: sealing.recipient,
                zone=plan,
            )
        )
        pseudonyms = await Pseudonyms.open(
            key_place(config.journal.remember, state),
            plan.reset,
            records.journal,
            clock,
            random_bytes=os.urandom,
        )
        zone = await recalled_zone(
            state / JOURNAL,
            records.journal,
            records.projector.database,
            plan,
            clock=clock,
            named_from=pseudonyms.named_from,
        )
        pseudonyms.listen(zone.lose_names)
        used = await stack.enter_async_context(
            kept_uses(records.projector.database, pseudonyms, clock)
        )
        hub_time = HubTime(
            undated,
            config.hub.url,
            lambda: trust.head_keys,
            clock,
            random_bytes=os.urandom,
            draw=rng.random,
        )
        mirrors = Mirrors(mirrored(config), clock.monotonic_ns)
        stack.callback(mirrors.close)
        screen = KioskScreen(
            clock.monotonic_ns,
            [lane.name for lane in config.lane],
            site=config.site.name,
            mirrored=mirrors.lanes,
            leaving=[lane.name for lane in config.lane if lane.direction is Direction.OUT],
        )
        outlook = Outlook(
            clock=clock,
            records=records,
            replicator=replicator,
            hub_time=hub_time,
            zone=zone,
            capacity=config.site.capacity,
            renewal=Renewal(
                client, config.hub.url, identity_of(state), key, clock, draw=rng.random
            ),
            hub_files=lambda: client.problem,
        )
        metrics = Metrics(
            version("chot"),
            lanes=[lane.name for lane in config.lane],
            sources=outlook.metric_sources(),
        )
        for collector in (
            ReplicaMetrics(replicator.status),
            IdentityMetrics(outlook.renewal),
            JournalMetrics(records),
            JournalCounts(records.projector),
            UplinkMetrics(records.upload_statuses),
            ZoneMetrics(zone, clock, site.demands),
        ):
            metrics.registry.register(collector)
        feedback = Feedback()
        desk = _desk(config, clock, book, records.journal, zone, tokens=pseudonyms)
        observer = Observers(metrics, feedback, *([desk] if desk else []), *observers)
        parts = SharedParts(
            site=site,
            clock=clock,
            rng=rng,
            law=keeper.law,
            book=book,
            release=lambda: book.release,
            zone=zone,
            used=used,
            attempts=await recalled_attempts(
                state / JOURNAL, records.journal, records.projector.database, clock=clock
            ),
            tokens=pseudonyms,
            digest_key=digest_key,
            journal=records.journal,
            look_back=JournalLookBack(state / JOURNAL, records.journal.last_sequence),
            policy=config.journal.when_unavailable,
            screen=screen,
            mirrors=mirrors,
            metrics=metrics,
            observer=observer,
            feedback=feedback,
            outlook=outlook,
        )
        add_lanes(config.lane, parts)
        health = Health()
        outlook.describe(health)
        health.add("sealing", sealing.finding, Weight.NOTE)
        health.add("pseudonyms", pseudonyms.finding, Weight.NOTE)
        keeper.describe(health, metrics.registry, site, clock)
        plugging = Plugging(outlook.sources, draw=rng.random)
        health.add("plugging", plugging.finding, Weight.NOTE)
        app = make_app(screen, health, metrics.registry, mirrors=mirrors)
        if desk is not None:
            desk.serve_lanes({lane.name: lane for lane in outlook.lanes})
            DeskPages(desk, [config.desk.origin]).add_to(app)
        url = await stack.enter_async_context(serve(app, config.kiosk.host, config.kiosk.port))
        await stack.enter_async_context(
            controlled(
                state,
                control_answers(
                    Enquiries(
                        site,
                        book=book,
                        journal=records.journal,
                        clock=clock,
                        digest_key=digest_key,
                        tokens=pseudonyms,
                    ),
                    replicator.status,
                ),
            )
        )
        yield Appliance(
            config,
            kiosk_url=url,
            outlook=outlook,
            screen=screen,
            health=health,
            plugging=plugging,
            keeper=keeper,
            pseudonyms=pseudonyms,
        )


def _desk(
    config: Config, clock: Clock, book: Book, journal: Journal, zone: Zone, *, tokens: Tokens
) -> Desk | None:
    """Return the officer's desk, if the site wants one.

    Badges are shown where a lane leads in: on the way out whoever is known is let go.
    """
    if not config.desk.enabled:
        return None
    return Desk(
        site_of(config),
        [lane.name for lane in config.lane if lane.direction is Direction.IN],
        clock=clock,
        book=book,
        journal=journal,
        zone=zone,
        tokens=tokens,
        random_bytes=os.urandom,
        idle_s=config.desk.idle_s,
        override_s=config.desk.override_s,
    )


def mirrored(config: Config) -> list[str]:
    """Return the lanes in which people see themselves: all with a camera, if the site wants it."""
    lanes = config.lane if config.kiosk.preview else ()
    return [lane.name for lane in lanes if any(isinstance(s, CAMERAS) for s in lane.sources)]
