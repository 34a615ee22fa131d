"""`chot hub trust health-cards | revoked-cards | csca`: which foreign issuers a gate believes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cache.replica.durable import write_durably
from hub import health_card_revocations as revocations
from hub import issuers
from hub.errors import HubError
from hub.issuers import Gathered


def _out_option(command: Any) -> Any:
    return click.option(
        "--out",
        required=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="Where the list goes. It is replaced as a whole.",
    )(command)


@click.command("health-cards")
@_out_option
@click.argument("sources", nargs=-1, required=True)
def health_cards(*, out: Path, sources: tuple[str, ...]) -> None:
    """List the issuers of SMART Health Cards that gates believe.

    SOURCES are snapshots of the VCI directory (JSON), single JWK sets written as URL=FILE with the
    issuer's URL, or folders that mirror issuers as HOST/PATH/.well-known/jwks.json. A key that is
    against the rules is left out and named; the others count.
    """
    files = issuers.health_card_sources(sources)
    with _progress("Key sets", len(files)) as step:
        gathered = issuers.gather_health_cards(files, step)
    _finish(out, gathered, "keys of health-card issuers")


@click.command("revoked-cards")
@_out_option
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def revoked_cards(*, out: Path, sources: tuple[Path, ...]) -> None:
    """List the SMART Health Cards that their issuers revoked, as CSV of withdrawals.

    SOURCES are issuers' revocation lists (JSON), or folders that mirror issuers as
    HOST/PATH/.well-known/crl/KID.json. The CSV is for the register of withdrawn credentials.
    """
    files = revocations.list_files(sources)
    with _progress("Revocation lists", len(files)) as step:
        found = revocations.revoked_in(files, step)
    gathered = Gathered(revocations.withdrawals_csv(found), len(found.cards), found.refused)
    _finish(out, gathered, "revoked cards")


@click.command()
@_out_option
@click.option(
    "--signers",
    is_flag=True,
    help="The files are signers' own certificates: trusted as they are, without an authority.",
)
@click.argument("sources", nargs=-1, required=True)
def csca(*, out: Path, signers: bool, sources: tuple[str, ...]) -> None:
    """List the states' authorities (CSCA) whose VDS-NC seals gates believe.

    SOURCES are certificates in DER or PEM, or folders of them. A file's name begins with the state
    in the letters of a seal's header: JPN.cer, NZL-2.pem. Get them from the ICAO PKD or from the
    state itself: whoever stands in this list is believed.
    """
    files = issuers.certificate_sources(sources)
    with _progress("Certificates", len(files)) as step:
        gathered = issuers.gather_authorities(files, signers=signers, step=step)
    _finish(out, gathered, "certificates for VDS-NC seals")


@contextmanager
def _progress(label: str, total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


def _finish(out: Path, gathered: Gathered, what: str) -> None:
    for reason in gathered.refused:
        click.echo(f"left out: {reason}", err=True)
    if not gathered.count:
        raise HubError(
            "nothing usable was found; no list was written", hint="see what was left out"
        )
    try:
        write_durably(out, gathered.document, mode=0o644)
    except OSError as error:
        msg = f"cannot write {out}: {error.strerror}"
        raise HubError(msg, hint="check that the folder exists and is yours") from error
    click.echo(f"{gathered.count:,} {what} in {out}; {len(gathered.refused):,} left out.", err=True)
