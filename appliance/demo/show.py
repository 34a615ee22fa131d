"""The demonstration from curtain to curtain, and the figures that it closes with."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from rich.console import Console
from rich.live import Live

from admission.verdict import Outcome
from appliance.clock import SystemClock
from appliance.compose import composed
from appliance.crew import Crew
from appliance.demo import embedded_hub
from appliance.demo.embedded_hub import HubFiles
from appliance.demo.enrolment import enrol
from appliance.demo.stage import Devices, configuration, feed, stage
from appliance.demo.table import Figures, picture
from appliance.records import Records
from appliance.running import Appliance
from appliance.scenes import read_samples
from appliance.tally import Tally

REFRESH_PER_S = 4
ACKNOWLEDGE_TIMEOUT_S = 15.0
HURRIED_TIMEOUT_S = 0.8
"""After Ctrl-C: the whole end has to fit into two seconds."""


class DemoOptions(msgspec.Struct, frozen=True):
    """What the user asked for. `seconds` is None for 'until Ctrl-C'."""

    folder: Path
    seconds: float | None
    people: int
    seed: int
    kiosk_port: int
    as_json: bool
    devices: Devices


class Latency(msgspec.Struct, frozen=True):
    """Reading to light in milliseconds, None before the first light."""

    p50: float | None
    p99: float | None


class Summary(msgspec.Struct, frozen=True):
    """The demonstration's closing figures, as `--json` prints them.

    `readings` are those that ended in a verdict; `sightings` counts every frame and line that held
    a code. `complete` says that the hub has acknowledged every entry.
    """

    readings: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    journaled: int
    acknowledged: int
    reading_to_light_ms: Latency
    frames_dropped: int
    seed: int
    sightings: int
    turned_away: int
    failures: dict[str, int]
    complete: bool


async def perform(options: DemoOptions, console: Console) -> Summary:
    """Prepare a hub, run the appliance for as long as asked, and return the closing figures.

    :raises HubUnavailable: if the embedded hub does not start.
    :raises ApplianceError: if the appliance cannot be composed.
    """
    _cancel_when_told()
    clock = SystemClock()
    files = HubFiles(options.folder / "hub")
    await embedded_hub.prepare(
        files, people=options.people, seed=options.seed, quiet=options.as_json
    )
    async with embedded_hub.serving(files) as hub_url:
        with stage(options.devices, options.folder, clock.monotonic_ns) as props:
            config = configuration(
                props,
                options.devices,
                files,
                hub_url=hub_url,
                kiosk_port=options.kiosk_port,
                seed=options.seed,
            )
            await enrol(files, config, clock)
            tally = Tally()
            rng = random.Random(options.seed)  # noqa: S311 - a show, no secret
            async with (
                composed(config, clock=clock, rng=rng, observers=[tally]) as appliance,
                Crew() as crew,
            ):
                appliance.start(crew)
                feeding: asyncio.Task[None] | None = None
                if props.scanner is not None:
                    texts = read_samples(files.samples)
                    feeding = crew.add("feed", feed(props.scanner, texts, rng))
                async with _display(options, console, appliance, tally, hub_url):
                    hurried = await _until_the_end(crew, options.seconds)
                if feeding is not None:
                    feeding.cancel()
                await appliance.drain()
                await _acknowledged(
                    appliance, HURRIED_TIMEOUT_S if hurried else ACKNOWLEDGE_TIMEOUT_S
                )
                crew.dismiss()
                return _summary(tally, appliance, options.seed)


def _cancel_when_told() -> None:
    """Clean up on these signals during the preparation, too; the crew takes them over later."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _until_the_end(crew: Crew, seconds: float | None) -> bool:
    """Return whether the user ended it, rather than the time."""
    try:
        await asyncio.wait_for(crew.dismissed(), seconds)
    except TimeoutError:
        return False
    return True


async def _acknowledged(appliance: Appliance, timeout_s: float) -> None:
    records = appliance.outlook.records
    records.pace.hurry()
    with suppress(TimeoutError):
        await asyncio.wait_for(records.wait_acknowledged(), timeout_s)


@asynccontextmanager
async def _display(
    options: DemoOptions, console: Console, appliance: Appliance, tally: Tally, hub_url: str
) -> AsyncIterator[None]:
    if options.as_json:
        yield
        return
    outlook = appliance.outlook

    def figures() -> Figures:
        replica = outlook.replicator.status()
        return Figures(
            kiosk=appliance.kiosk_url,
            journaled=_journaled(outlook.records),
            acknowledged=_acknowledged_entries(outlook.records),
            frames_dropped=outlook.frames_dropped,
            release=replica.sequence,
            people=replica.rows,
            hub=hub_url,
        )

    with Live(
        get_renderable=lambda: picture(tally, figures),
        console=console,
        refresh_per_second=REFRESH_PER_S,
        screen=False,
    ):
        yield


def _journaled(records: Records) -> int:
    """Return how many verdicts the journal holds; what followed on them does not count here."""
    return records.journal.statistics().entries


def _acknowledged_entries(records: Records) -> int:
    """Return of how many verdicts it is certain that the hub holds them."""
    return max(0, _journaled(records) - records.outbox.pending)


def _summary(tally: Tally, appliance: Appliance, seed: int) -> Summary:
    outlook = appliance.outlook
    journaled = _journaled(outlook.records)
    acknowledged = _acknowledged_entries(outlook.records)
    return Summary(
        readings=tally.readings,
        verdicts={outcome: tally.verdicts[outcome] for outcome in Outcome},
        reasons=dict(sorted((str(r), n) for r, n in tally.reasons.items())),
        journaled=journaled,
        acknowledged=acknowledged,
        reading_to_light_ms=Latency(
            p50=_rounded(tally.latency_ms(50)), p99=_rounded(tally.latency_ms(99))
        ),
        frames_dropped=outlook.frames_dropped,
        seed=seed,
        sightings=tally.readings + tally.unjournaled + tally.repeats + tally.away,
        turned_away=tally.away,
        failures=dict(tally.failures),
        complete=acknowledged == journaled,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
