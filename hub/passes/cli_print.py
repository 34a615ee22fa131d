"""`chot pass card` and `chot pass poster`: print-ready PDF and PNG."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from admission.credentials.chot_pass import MAX_TEXT_LENGTH
from admission.credentials.pass_issuers import PassIssuers
from admission.verdict import Text
from hub.errors import PassError
from hub.passes import printing, words
from hub.passes.card import draw_single
from hub.passes.fonts import find_fonts
from hub.passes.key_files import load_issuers
from hub.passes.office import Office, open_office, pass_in, warning_of
from hub.passes.poster import PAPER_MM, Poster, draw_poster
from hub.passes.rows import TEXT, Row, issued_table, read_rows
from hub.passes.sheet import Print
from hub.writing import write_file

NOTHING_PRINTED = 1
SOME_LEFT_OUT = 3
"""How `chot pass card --csv` ends where it printed some rows and left others out."""

_FILE = click.Path(dir_okay=False, path_type=Path)


def _print_options(command: Any) -> Any:
    for option in (
        click.option("--bold-font", type=_FILE, help="The bold one to --font; itself if left out."),
        click.option("--font", type=_FILE, help="A TrueType file with Vietnamese letters."),
        click.option(
            "--dpi",
            type=click.Choice(["300", "600"]),
            default="600",
            show_default=True,
            help="Resolution of a PNG; a PDF has none.",
        ),
        click.option("--out", required=True, type=_FILE, help="A file that ends in .pdf or .png."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("text", required=False)
@click.option("--csv", "table", type=_FILE, help="Many passes: a table, see above.")
@click.option("--key", "key_file", type=_FILE, help="Issue the table's rows with this key.")
@click.option("--hash-key", type=_FILE, help="The region's hash key, for the column document.")
@click.option("--issued", type=_FILE, help="With --key: where numbers and texts are recorded.")
@click.option(
    "--issuers", type=_FILE, help="Print passes of these issuers only, with the office's name."
)
@_print_options
@click.pass_context
def card(
    ctx: click.Context,
    /,
    *,
    text: str | None,
    table: Path | None,
    issuers: Path | None,
    out: Path,
    dpi: str,
    font: Path | None,
    bold_font: Path | None,
    **issuing: Path | None,
) -> None:
    """Print cards of 62 x 88 mm with a code of exactly 50 x 50 mm.

    One pass from TEXT (`-`: standard input) on a sheet of its own, or many from a table, nine to a
    sheet of A4, with cut marks. Print at 100 %, not fitted to the page. The quiet zone of four
    modules lies outside the 50 mm.

    The table is CSV in UTF-8 with a line of column names: either `text`, or the fields to issue
    with --key: kind, document or person_key, name, born, from, valid_for, place, district, site,
    hours, days, officer_number. Several places, districts, sites or hours in one field are
    separated by semicolons.

    Exits with 0 if everything was printed, with 3 if some rows were left out (each is named with
    its line and the reason), and with 1 if nothing was printed.
    """
    if (text is None) == (table is None):
        raise click.UsageError("give the text of one pass, or a table with --csv")
    onto = printing.print_for(out, find_fonts(font, bold_font), int(dpi))
    trusted = load_issuers(issuers) if issuers else None
    if table is not None:
        ctx.exit(_print_table(onto, out, table, trusted, **issuing))
    _print_one(onto, out, text or "", trusted)


@click.command()
@click.option("--content", required=True, help="The text of the code: an address or any text.")
@click.option("--site-name", required=True, help="The location, as people call it.")
@click.option("--title-vi", default=words.CHECK_IN.vi, show_default=True)
@click.option("--title-en", default=words.CHECK_IN.en, show_default=True)
@click.option("--paper", type=click.Choice(list(PAPER_MM)), default="a4", show_default=True)
@_print_options
def poster(
    *,
    content: str,
    site_name: str,
    title_vi: str,
    title_en: str,
    paper: str,
    out: Path,
    dpi: str,
    font: Path | None,
    bold_font: Path | None,
) -> None:
    """Print a location's poster with a code of exactly 15 x 15 cm, its quiet zone outside of it.

    Print at 100 %, not fitted to the page. The content is written below the code, so that people
    notice a code that somebody pasted over it.
    """
    onto = printing.print_for(out, find_fonts(font, bold_font), int(dpi))
    draw_poster(onto, Poster(content, site_name, Text(title_vi, title_en)), paper)
    printing.write_files(out, onto.finish(), printing.PUBLIC)
    click.echo(f"Poster printed to {out}.", err=True)


def _print_one(onto: Print, out: Path, text: str, trusted: PassIssuers | None) -> None:
    made = pass_in(sys.stdin.read(MAX_TEXT_LENGTH + 2) if text == "-" else text, trusted)
    printing.require_letters(made, onto.fonts)
    draw_single(onto, made)
    printing.write_files(out, onto.finish(), printing.PRIVATE)
    click.echo(f"Card printed to {out}.", err=True)


def _print_table(
    onto: Print,
    out: Path,
    table: Path,
    trusted: PassIssuers | None,
    *,
    key_file: Path | None,
    hash_key: Path | None,
    issued: Path | None,
) -> int:
    """Return how the command ends."""
    if (key_file is None) != (issued is None):
        raise click.UsageError("--key and --issued go together: passes are withdrawn by number")
    if issued is not None and issued.exists():
        msg = f"{issued} is there already"
        raise PassError(msg, hint="it may be the only record of passes: choose another name")
    rows = read_rows(table)
    if any((TEXT in row.fields) == (key_file is not None) for row in rows):
        msg = f"{table}: passes that are to be issued need --key, those that have been need none"
        raise PassError(msg, hint="give --key and --issued, or a table of texts")
    made_of = (
        printing.issuing(_office(key_file, hash_key, table, rows))
        if key_file
        else printing.reading(partial(pass_in, issuers=trusted))
    )
    errors = Console(stderr=True)
    watched = track(rows, "drawing", console=errors, transient=True, disable=not errors.is_terminal)
    good, left_out = printing.draw_rows(onto, watched, made_of)
    for fault in left_out:
        click.secho(f"{table}, line {fault.line}: {fault.reason}", fg="red", err=True)
        if fault.hint:
            click.echo(f"  → {fault.hint}", err=True)
    click.echo(f"{len(good):,} of {len(rows):,} cards are drawn.", err=True)
    if not good:
        return NOTHING_PRINTED
    if issued is not None:
        write_file(issued, issued_table(good), printing.PRIVATE, failure=PassError)
    names = printing.write_files(out, onto.finish(), printing.PRIVATE)
    click.echo(f"Printed to {', '.join(str(name) for name in names)}.", err=True)
    return SOME_LEFT_OUT if left_out else 0


def _office(key_file: Path, hash_key: Path | None, table: Path, rows: list[Row]) -> Office:
    """Return the office that issues these rows, once it has all that they need."""
    office = open_office(key_file, hash_key)
    if hash_key is None and any(row.fields.get("document", "").strip() for row in rows):
        msg = f"{table}: documents in it need the region's hash key"
        raise PassError(msg, hint="give --hash-key, e.g. keys/hash.key in the hub's folder")
    if warning := warning_of(office, key_file):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    return office
