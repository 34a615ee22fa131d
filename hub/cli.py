"""`chot hub`: the commands of whoever runs the upstream."""

from __future__ import annotations

import asyncio
import random
import secrets
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import click

from admission.identity import identity_digester
from cache.core_dumps import forbid_core_dumps
from cache.replica.durable import write_durably
from cache.replica.names import PERSONS
from hub import tasks
from hub.access import log, log_to_stderr
from hub.acts_cli import alerts, corrections, overrides
from hub.authority import create_authority, has_authority
from hub.clock import HubClock
from hub.devices_cli import device
from hub.enrol_cli import enrol
from hub.entries_cli import entries
from hub.errors import HubError
from hub.flags_cli import flags
from hub.folder import MAX_KEEP_DAYS, DataFolder
from hub.import_cli import import_
from hub.journals.cli import journals
from hub.keys import complete_keys, create_keys, load_keys
from hub.keys_cli import keys, show_keys
from hub.listing import counted
from hub.options import data_option, run
from hub.orders_cli import directive, document
from hub.parent import stop_at_end_of_input
from hub.retention_cli import retention
from hub.roster_cli import roster
from hub.rotation import is_settled, publish_again, settle, take_offline
from hub.samples import json_lines, samples
from hub.seal_keys import complete_seal_key
from hub.server import ServeOptions
from hub.server_certificate import TlsOptions
from hub.synthetic import MAX_PEOPLE, Population
from hub.trust_cli import trust
from hub.withdraw_cli import withdraw

VIETNAM = timezone(timedelta(hours=7))


@click.group()
def hub() -> None:
    """Run the upstream: people, signed releases, and the entries of all gates."""


for command in (
    import_,
    withdraw,
    roster,
    directive,
    document,
    trust,
    corrections,
    overrides,
    alerts,
    retention,
    keys,
    device,
    enrol,
    flags,
    journals,
    entries,
):
    hub.add_command(command)


@hub.command()
@data_option
@click.option(
    "--root-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Move the root key out to this file at once, on a stick that goes into a safe.",
)
def init(folder: DataFolder, root_key: Path | None) -> None:
    """Make the folder, its database and its keys. What is there already stays.

    A folder of an earlier version gets the keys that it lacks. A rotation of keys that was
    interrupted is brought to its end.
    """
    folder.create()
    if not folder.has_keys:
        create_keys(folder.keys, entropy=secrets.token_bytes)
    if root_key is not None or not is_settled(folder):
        with folder.served():
            complete_keys(folder.keys, entropy=secrets.token_bytes)
            settle(folder)
            publish_again(folder, HubClock().now())
            if root_key is not None:
                take_offline(folder, root_key)
    if not has_authority(folder.keys):
        create_authority(folder.keys, HubClock().now())
    complete_seal_key(folder.keys, entropy=secrets.token_bytes)
    run(tasks.prepare(folder))
    show_keys(folder)


@hub.command()
@data_option
@click.option("--people", default=100_000, show_default=True, type=click.IntRange(1, MAX_PEOPLE))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Date that vaccinations and isolation are relative to; today in Vietnam if left out.",
)
@click.option(
    "--samples",
    "sample_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write credentials of these people, and some of strangers and forgers, as JSON lines.",
)
@click.option("--sample-count", default=500, show_default=True, type=click.IntRange(1, 1_000_000))
def synthesize(
    *,
    folder: DataFolder,
    people: int,
    seed: int,
    on: datetime | None,
    sample_file: Path | None,
    sample_count: int,
) -> None:
    """Put a synthetic population on record: the same one for the same seed and date.

    With it come movement permits, and the approved list of the site demo-factory.
    """
    folder.require()
    day = on.date() if on else HubClock().now().date_in(VIETNAM)
    digest = identity_digester(load_keys(folder.keys).hash_key)
    population = Population(seed, people, day, digest)
    run(tasks.record(folder.database, population))
    click.echo(f"{people:,} synthetic people on record, as of {day.isoformat()}.", err=True)
    if sample_file is not None:
        source = random.Random(seed)  # noqa: S311 repeatable samples, nobody's secret
        _write(sample_file, b"".join(json_lines(samples(population, sample_count, source))))
        click.echo(f"{sample_count:,} sample credentials in {sample_file}.", err=True)


@hub.command()
@data_option
@click.option(
    "--accept-clock",
    is_flag=True,
    help="The clock is right, however far it is from the head that is published.",
)
def publish(*, folder: DataFolder, accept_clock: bool) -> None:
    """Build and sign a release of all that has changed. A running hub does so by itself."""
    forbid_core_dumps()
    folder.require()
    folder.create()
    head, changed = run(tasks.publish(folder, HubClock(), accept_clock=accept_clock))
    issued = datetime.fromtimestamp(head.issued_ns / 1e9, UTC).isoformat(timespec="seconds")
    what = "nothing has changed, signed again"
    if changed:
        what = (
            f"{head.datasets[PERSONS].rows:,} people in the base,"
            f" {counted(len(head.datasets), 'dataset')},"
            f" {counted(len(head.documents), 'document')}"
        )
    click.echo(f"Release {head.sequence} of {issued}: {what}.", err=True)


@hub.command()
@data_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8470, show_default=True, type=click.IntRange(0, 65_535))
@click.option(
    "--vouch-interval",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    help="Seconds between two signings of the head.",
)
@click.option(
    "--announce",
    type=click.Path(dir_okay=False, path_type=Path),
    help='Write {"url": ...} to this file once connections are accepted.',
)
@click.option(
    "--tls", is_flag=True, help="Serve HTTPS, with a certificate of the hub's own making."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A name or address that gates call this hub by; as often as there are. With --tls.",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM of another authority's certificate with its chain, to serve HTTPS with.",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM of the private key of --certificate.",
)
@click.option(
    "--keep-days",
    type=click.IntRange(1, MAX_KEEP_DAYS),
    help="Keep so many days of entries before today from now on: 21 where nobody has said.",
)
@click.option("--exit-with-parent", is_flag=True, help="End when standard input reaches its end.")
def serve(
    *,
    folder: DataFolder,
    host: str,
    port: int,
    vouch_interval: float,
    announce: Path | None,
    tls: bool,
    names: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    keep_days: int | None,
    exit_with_parent: bool,
) -> None:
    """Take entries and serve the release until SIGTERM or Ctrl-C.

    Over TLS with --tls, or --certificate and --key; else on loopback, or behind a proxy that does.
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    if names and not tls and certificate is None:
        raise click.UsageError("--name goes with --tls: without it this would be plain HTTP")
    log_to_stderr()
    if not forbid_core_dumps():
        log.warning("a crash may leave this process's memory on the disk")
    served = TlsOptions(names, certificate, key) if tls or certificate is not None else None
    options = ServeOptions(host, port, vouch_interval, served)
    if keep_days is not None:
        folder.require()
        folder.keep(keep_days)

    async def main() -> None:
        stop = asyncio.Event()
        if exit_with_parent:
            stop_at_end_of_input(stop)
        await tasks.serve(folder, options, HubClock(), stop, announce=announce)

    run(main())


def _write(path: Path, data: bytes) -> None:
    try:
        write_durably(path, data)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise HubError(msg, hint="check that the folder exists and is yours") from error
