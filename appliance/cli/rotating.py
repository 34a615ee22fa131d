"""`chot rotating secret` and `chot rotating wallet`: what a wallet needs for rotating codes."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import click

from appliance.errors import ConfigError
from appliance.rotating_secret import create_schemes, load_schemes

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def rotating() -> None:
    """Make the secret of rotating codes, and what a wallet needs of it."""


@rotating.command("secret")
@click.option("--out", required=True, type=_FILE, help="The file to write (mode 0600).")
@click.option("--name", default="wallet", show_default=True, help="The scheme's name.")
def secret(out: Path, name: str) -> None:
    """Make the secret from which all rotating codes come.

    Whoever has the file can make codes for everybody. Copy it to the gates by a safe way, and keep
    it out of releases, tickets and mail.
    """
    create_schemes(out, name, secrets.token_bytes)
    click.echo(f"{out}: made. Gates read it; `chot rotating wallet` issues from it.", err=True)


@rotating.command("wallet")
@click.argument("object_id", metavar="OBJECT-ID")
@click.option("--secret", "path", required=True, type=_FILE, help="The file of the schemes (0600).")
@click.option("--scheme", "name", help="Which scheme of it. [default: the first]")
def wallet(object_id: str, path: Path, name: str | None) -> None:
    """Print what makes a Google Wallet object's barcode rotate, as JSON.

    Merge it into the object with the id OBJECT-ID (ISSUER.NAME) before it is inserted or patched.
    The output holds that object's own key: send it to the wallet and nowhere else.
    """
    schemes = load_schemes(path)
    for scheme in schemes:
        if name in (None, scheme.table.name):
            click.echo(json.dumps(scheme.wallet_fragment(object_id), indent=2))
            return
    msg = f"{path} has no scheme {name!r}"
    names = ", ".join(scheme.table.name for scheme in schemes)
    raise ConfigError(msg, hint=f"it has: {names}")
