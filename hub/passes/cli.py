"""`chot pass`: keys, passes, and their verification. Printing is in `cli_print`."""

from __future__ import annotations

import json
import secrets
import shlex
import sys
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import PassKind, Proof, Signature
from admission.credentials.chot_pass import MAX_TEXT_LENGTH, parse, read_unverified
from admission.credentials.pass_issuers import PassIssuer, key_id
from admission.site import Place
from admission.texts import sentence
from admission.verdict import Reason, Text
from hub.clock import HubClock
from hub.passes import key_files, words
from hub.passes.application import LIST_SEPARATOR
from hub.passes.card import code_of
from hub.passes.cli_print import card, poster
from hub.passes.description import contents, described
from hub.passes.office import open_office, warning_of

VALID, NOT_NOW, NO_PASS = 0, 1, 2
"""How `chot pass verify` ends."""

_MAX_LINE = 256
_FILE = click.Path(dir_okay=False, path_type=Path)
_REASONS = {
    Signature.UNKNOWN_ISSUER: Reason.ISSUER_UNKNOWN,
    Signature.INVALID: Reason.SIGNATURE_INVALID,
    Signature.WRONG_USE: Reason.WRONG_KEY_USE,
}
_HEADINGS = {
    VALID: Text("HỢP LỆ", "VALID"),
    NOT_NOW: Text("KHÔNG HỢP LỆ LÚC NÀY", "NOT VALID NOW"),
    NO_PASS: Text("KHÔNG HỢP LỆ", "NOT VALID"),
}
_COLOURS = {VALID: "green", NOT_NOW: "yellow", NO_PASS: "red"}


@click.group(name="pass")
def passes() -> None:
    """Issue, verify and print Chốt passes: cards, permits, visitors' passes, badges."""


passes.add_command(card)
passes.add_command(poster)


@passes.command()
@click.option("--out", required=True, type=_FILE, help="The private key, mode 0600: stays here.")
@click.option("--name", required=True, help="The issuing office, as gates show it.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in PassKind]),
    help="What the key may sign; may be given several times. Everything if left out.",
)
@click.option(
    "--issuers",
    type=_FILE,
    help="The list of issuers that takes the key's entry. OUT.issuers if left out.",
)
@click.option("--replace", is_flag=True, help="Overwrite a key that is there already.")
def key(
    *, out: Path, name: str, kinds: tuple[str, ...], issuers: Path | None, replace: bool
) -> None:
    """Make an issuing key (Ed25519), and put it on the list of issuers that gates trust."""
    if not replace:
        key_files.require_free(out)
    private = Ed25519PrivateKey.from_private_bytes(secrets.token_bytes(key_files.SEED_BYTES))
    allowed = frozenset(PassKind(kind) for kind in kinds) or frozenset(PassKind)
    listed = issuers or key_files.issuers_file(out)
    document = key_files.issuer_list(listed, PassIssuer(private.public_key(), name, allowed))
    key_files.write_issuing_key(out, private)
    key_files.write_issuers(listed, document)
    click.echo(f"Key {key_id(private.public_key()).hex()} in {out} (secret).", err=True)
    _tell_how_to_give(listed)


@passes.command("issuers")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--out", required=True, type=_FILE, help="The list that gates get.")
def join_issuers(files: tuple[Path, ...], out: Path) -> None:
    """Join the lists of several offices into one: gates believe who is in the list they have.

    A key that stands in two of them is told of and taken once.
    """
    joined = key_files.joined_issuers(files)
    for remark in joined.remarks:
        click.echo(remark, err=True)
    key_files.write_issuers(out, joined.document)
    click.echo(f"Issuing keys in {out}: {joined.count}.", err=True)
    _tell_how_to_give(out)


@passes.command()
@click.option("--key", "key_file", required=True, type=_FILE, help="Made by `chot pass key`.")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in PassKind]))
@click.option("--document", help="CCCD, CMND or passport number; `-` reads it from standard input.")
@click.option("--hash-key", type=_FILE, help="The region's hash key, with --document.")
@click.option("--person-key", help="The subject's key in place of a document: 16 hex digits.")
@click.option("--name", help="The holder's name, for the officer to compare.")
@click.option("--born", metavar="YYYY-MM-DD", help="The holder's birth date.")
@click.option("--from", metavar="'YYYY-MM-DD HH:MM'", help="From when it counts, in Vietnam; now.")
@click.option("--valid-for", metavar="72h", help="90m, 72h, 30d; a permit: 3 days, a visitor: 1.")
@click.option("--place", multiple=True, type=click.Choice([place.value for place in Place]))
@click.option("--district", multiple=True, help="Official code of a district where it counts.")
@click.option("--site", multiple=True, help="Id of a site where it counts.")
@click.option("--hours", multiple=True, metavar="05:00-21:00", help="When it counts.")
@click.option("--days", metavar="mon-fri", help="Days of those hours; every day if left out.")
@click.option("--officer-number", help="The number on an officer's badge.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def issue(key_file: Path, hash_key: Path | None, *, as_json: bool, **options: Any) -> None:
    """Sign one pass and print its text. Options of where and when may be given several times."""
    if options.get("document") == "-":
        options["document"] = sys.stdin.readline(_MAX_LINE)
    fields = {name: _field(value) for name, value in options.items()}
    office = open_office(key_file, hash_key)
    if warning := warning_of(office, key_file):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    made = office.issue(fields)
    version = int(code_of(made.text).version)
    if as_json:
        about = {"text": made.text, "qr_version": version}
        click.echo(json.dumps(about | described(made.claims), ensure_ascii=False))
        return
    click.echo(made.text)
    until = words.moment(made.claims.expires_s)
    number = words.number(made.claims.granted.number)
    click.echo(f"No. {number}, until {until}; QR version {version}, level M.", err=True)


@passes.command()
@click.argument("text")
@click.option("--issuers", "issuers_file", required=True, type=_FILE, help="Who is trusted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify(ctx: click.Context, text: str, issuers_file: Path, *, as_json: bool) -> None:
    """Say what a pass is worth now and what is in it; `-` reads it from standard input.

    Exits with 0 if it is valid now, with 1 if it is genuine but not valid at this moment, and with
    2 if it is forged, of an unknown issuer, or no pass at all. Whether it was withdrawn, and where
    and at which hours it counts, is for a gate to say.
    """
    if text == "-":
        text = sys.stdin.read(MAX_TEXT_LENGTH + 2)
    text = text.strip()
    issuers = key_files.load_issuers(issuers_file)
    for refused in issuers.refused:
        click.echo(f"{issuers_file}, entry {refused.index}: {refused.reason}", err=True)
    credential = parse(text, issuers)
    code, reason = _judged(credential.proof, HubClock().now().wall_ns)
    claims = read_unverified(text) if credential.granted is not None else None
    issuer = credential.proof.issuer if credential.proof else ""
    if as_json:
        about = {"valid": code == VALID, "reason": reason.value if reason else None}
        about |= {"issuer": issuer or None} | (described(claims) if claims else {})
        click.echo(json.dumps(about, ensure_ascii=False))
    else:
        click.secho(words.both(_HEADINGS[code]), fg=_COLOURS[code], bold=True)
        if reason is not None:
            click.echo(words.both(sentence(reason)))
        for label, value in contents(claims, issuer) if claims else ():
            click.echo(f"{words.both(label)}: {value}")
    ctx.exit(code)


def _tell_how_to_give(listed: Path) -> None:
    file = shlex.quote(str(listed))
    click.echo(
        "Give it to gates, with the hub's folder as DIR; it takes the place of the list that is "
        f"there:\n  chot hub document put --data DIR trust/passes {file}",
        err=True,
    )


def _judged(proof: Proof | None, now_ns: int) -> tuple[int, Reason | None]:
    """Return how verification ends, and why where it does not end well."""
    if proof is None:
        return NO_PASS, Reason.UNRECOGNISED
    if proof.signature is not Signature.VALID:
        return NO_PASS, _REASONS[proof.signature]
    if proof.not_before_ns is not None and now_ns < proof.not_before_ns:
        return NOT_NOW, Reason.NOT_YET_VALID
    if proof.expires_ns is not None and now_ns >= proof.expires_ns:
        return NOT_NOW, Reason.EXPIRED
    return VALID, None


def _field(value: str | tuple[str, ...] | None) -> str:
    return LIST_SEPARATOR.join(value) if isinstance(value, tuple) else value or ""
