"""`chot hub enrol`: tokens for gates that are to be enrolled, and the word of a person on each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from admission.enrolment import Token, fingerprint, is_serial, is_site, pack_token, url_fault
from hub import enrolment, enrolment_print
from hub.authority import load_authority, load_certificate
from hub.clock import HubClock
from hub.errors import HubError, KeyFileError
from hub.folder import DataFolder
from hub.listing import counted
from hub.options import data_option, run
from hub.store.enrolment import EnrolmentRequest, EnrolmentToken, RequestState
from hub.store.sqlite import open_store

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def enrol() -> None:
    """Enrol gates: give out tokens, approve or deny who comes with one."""


@enrol.command()
@data_option
@click.option("--site", required=True, help="The site's id, as in the gate's [site].")
@click.option("--serial", required=True, help="The hardware's serial number: `chot enrol` says it.")
@click.option("--device", default="", help="The device's name; left out, the gate says its own.")
@click.option(
    "--hours",
    default=enrolment.MAX_TOKEN_HOURS,
    show_default=True,
    type=click.IntRange(1, enrolment.MAX_TOKEN_HOURS),
    help="How long it may be used.",
)
@click.option("--url", required=True, help="The address by which the gate reaches this hub.")
@click.option(
    "--pin",
    type=_FILE,
    help="PEM of the certificate that the hub's TLS is judged by, if not by its own authority.",
)
@click.option("--svg", type=_FILE, help="Write the code as a picture, mode 0600.")
@click.option("--pdf", type=_FILE, help="Write a sheet with the code, mode 0600.")
@click.option("--token-file", type=_FILE, help="Write the text to a file, mode 0600; show nothing.")
def token(
    *,
    folder: DataFolder,
    site: str,
    serial: str,
    device: str,
    hours: int,
    url: str,
    pin: Path | None,
    svg: Path | None,
    pdf: Path | None,
    token_file: Path | None,
) -> None:
    """Give out a token for one gate: it counts once, for this site and serial number alone.

    Whoever has it can ask in that gate's name, until a person approves or denies: show it to
    nobody else. The hub keeps its hash only.
    """
    folder.require()
    made = Token(
        secret=enrolment.new_secret(secrets.token_bytes),
        pin=_pin(folder, pin),
        url=url,
        site=_checked(site, is_site(site), "--site"),
        serial=_checked(serial, is_serial(serial), "--serial"),
    )
    if fault := url_fault(url):
        raise HubError(fault, hint="give it with --url")
    text = pack_token(made)
    kept = run(_give(folder, made, device, hours))
    if svg is not None:
        enrolment_print.write_svg(svg, text)
    if pdf is not None:
        enrolment_print.write_pdf(pdf, text, made, kept)
    if token_file is not None:
        enrolment_print.write_text(token_file, text)
    elif svg is None and pdf is None:
        click.echo(enrolment_print.in_terminal(text))
        click.echo(text)
    until = _time(kept.expires_ns)
    click.echo(f"For {site}, serial {serial}, until {until}: `chot enrol` at the gate.", err=True)


@enrol.command("list")
@data_option
@click.option("--all", "everything", is_flag=True, help="Those that are decided, too.")
def list_(*, folder: DataFolder, everything: bool) -> None:
    """List the requests that wait: number, device, site, serial, fingerprint, since when."""
    folder.require()
    listed = [
        one for one in run(_requests(folder)) if everything or one.state is RequestState.PENDING
    ]
    for one in listed:
        click.echo("\t".join(_told(one)))
    if everything:
        click.echo(f"{counted(len(listed), 'request')}.", err=True)
    else:
        then = ": compare its fingerprint, then approve ID or deny ID" if listed else ""
        click.echo(f"{counted(len(listed), 'request')} waiting{then}.", err=True)


@enrol.command()
@data_option
@click.argument("number", metavar="ID")
@click.option("--replace", is_flag=True, help="It takes the place of another gate of its name.")
def approve(*, folder: DataFolder, number: str, replace: bool) -> None:
    """Give the gate of request ID its certificate.

    Before: compare the fingerprint in `chot hub enrol list` with what the gate shows.
    """
    folder.require()
    request = run(_approve(folder, number, replace=replace))
    shown = fingerprint(request.public_key)
    click.echo(f"{request.device} is enrolled (fingerprint {shown}).", err=True)


@enrol.command()
@data_option
@click.argument("number", metavar="ID")
def deny(*, folder: DataFolder, number: str) -> None:
    """Turn request ID down. Its token is used up.

    A gate that was enrolled before and whose certificate has ended goes on the deny list.
    """
    folder.require()
    request = run(_refuse(folder, number))
    click.echo(f"The request of {request.device} is denied.", err=True)


def _told(one: EnrolmentRequest) -> tuple[str, ...]:
    return (
        one.number,
        one.device,
        one.site,
        one.serial,
        fingerprint(one.public_key),
        _time(one.created_ns),
        "token" if one.secret_sha256 else "certificate ended",
        str(one.state),
    )


def _pin(folder: DataFolder, path: Path | None) -> bytes:
    if path is None:
        return load_authority(folder.keys).pin
    try:
        certificate: x509.Certificate = load_certificate(path)
    except KeyFileError as error:
        hint = "name the certificate that is served, or better the root of its chain"
        raise HubError(str(error), hint=hint) from error
    return certificate.fingerprint(hashes.SHA256())


def _checked(value: str, holds: bool, option: str) -> str:
    if not holds:
        msg = f"{option} {value!r} cannot be one"
        raise HubError(msg, hint="as `chot enrol --show` says it at the gate")
    return value


async def _give(folder: DataFolder, made: Token, device: str, hours: int) -> EnrolmentToken:
    async with open_store(folder.database) as store:
        return await enrolment.give_token(store, made, device, hours, HubClock().now())


async def _requests(folder: DataFolder) -> Sequence[EnrolmentRequest]:
    async with open_store(folder.database) as store:
        return await store.requests()


async def _approve(folder: DataFolder, number: str, *, replace: bool) -> EnrolmentRequest:
    authority = load_authority(folder.keys)
    async with open_store(folder.database) as store:
        now = HubClock().now()
        return await enrolment.approve(store, authority, number, now, replace=replace)


async def _refuse(folder: DataFolder, number: str) -> EnrolmentRequest:
    async with open_store(folder.database) as store:
        return await enrolment.refuse(store, number, HubClock().now())


def _time(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
