"""`chot hub trust dsc | slices | batches`: what gates need to check EU certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import track

from admission.credentials.dcc_revocations import write_revocations
from admission.credentials.dcc_signers import write_signers
from admission.errors import TrustError
from hub.clock import HubClock
from hub.dcc_feed import (
    BATCH_SUFFIXES,
    CERTIFICATE_SUFFIXES,
    Refusal,
    batches_in,
    files_of,
    signers_in,
    withdrawals_csv,
)
from hub.dcc_slices import listed_keys, lists_in
from hub.writing import write_file

PUBLISHED_MODE = 0o644
"""Of what is written here: gates and web servers read it, and none of it is a secret."""
_NS = 1_000_000_000

T = TypeVar("T")

_paths = click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
_out = click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, readable by everybody. It is replaced whole or not at all.",
)
_strict = click.option(
    "--strict", is_flag=True, help="Write nothing if anything at all could not be used."
)


@click.command()
@_paths
@_out
@_strict
def dsc(*, paths: Sequence[Path], out: Path, strict: bool) -> None:
    """Make the list of signers of EU certificates.

    PATHS are certificates (DER, PEM), trust lists of the EU's gateway (JSON), or folders of both.
    A certificate that cannot be used is named and takes nobody else's trust away.
    """
    files = files_of(paths, CERTIFICATE_SUFFIXES)
    signers, refusals = signers_in(_watched(files, "Reading certificates"))
    _report(refusals, strict=strict)
    if not signers:
        raise TrustError("no certificate could be used", hint="wanted: DER, PEM or JSON")
    write_file(out, write_signers(signers), PUBLISHED_MODE)
    countries = len({signer.country for signer in signers})
    click.echo(f"Signers: {len(signers):,}, countries: {countries}, in {out}.", err=True)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_out
@_strict
def slices(*, folder: Path, out: Path, strict: bool) -> None:
    """Make the document of revoked EU certificates from slices.

    FOLDER holds what the EU's distribution service answers: lists.json, and for every key id a
    folder with partitions.json and the archives. Expired slices are left out.
    """
    keys = listed_keys(folder)
    lists, refusals = lists_in(folder, _watched(keys, "Reading slices"), _now_s())
    _report(refusals, strict=strict)
    if keys and not lists:
        raise TrustError("no list of revocations could be used")
    write_file(out, write_revocations(lists), PUBLISHED_MODE)
    count = sum(len(found.slices) for found in lists)
    click.echo(f"Slices: {count:,}, keys: {len(lists):,}, in {out}.", err=True)


@click.command()
@_paths
@_out
@_strict
def batches(*, paths: Sequence[Path], out: Path, strict: bool) -> None:
    """List the EU certificates that were revoked, as CSV of withdrawals.

    PATHS are batches of the EU's gateway (the JSON inside the CMS message), or folders of them.
    Expired ones are left out.
    """
    files = files_of(paths, BATCH_SUFFIXES)
    found, refusals = batches_in(_watched(files, "Reading batches"), _now_s())
    _report(refusals, strict=strict)
    if not found:
        raise TrustError("no batch could be used")
    data, count = withdrawals_csv(found)
    write_file(out, data, PUBLISHED_MODE)
    click.echo(f"Revoked names: {count:,}, batches: {len(found):,}, in {out}.", err=True)


def _watched(items: Sequence[T], label: str) -> Iterator[T]:
    """Yield the items behind a progress bar, where somebody watches."""
    console = Console(stderr=True)
    shown: Iterable[T] = track(items, label, console=console, disable=not console.is_terminal)
    yield from shown


def _report(refusals: Sequence[Refusal], *, strict: bool) -> None:
    """Say what could not be used.

    :raises TrustError: if that is anything and `strict` is wanted.
    """
    for refusal in refusals:
        click.echo(f"left out: {refusal.source}: {refusal.reason}", err=True)
    if len(refusals) > 1:
        click.echo(f"Left out: {len(refusals):,}.", err=True)
    if refusals and strict:
        msg = f"{len(refusals):,} could not be used, so nothing was written"
        raise TrustError(msg, hint="leave out --strict to go on without them")


def _now_s() -> int:
    return HubClock().now().wall_ns // _NS
