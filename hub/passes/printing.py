"""From passes to files: which form the print has, the cards of a table, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from admission.errors import ChotError
from hub.errors import PassError
from hub.passes.card import CardSheets, lines_of
from hub.passes.fonts import Fonts
from hub.passes.office import IssuedPass, Office
from hub.passes.pdf import PdfPrint
from hub.passes.picture import PicturePrint
from hub.passes.rows import TEXT, Row
from hub.passes.sheet import Print
from hub.writing import write_file

PDF, PNG = ".pdf", ".png"
PRIVATE, PUBLIC = 0o600, 0o644


class LeftOut(msgspec.Struct, frozen=True):
    """One row that was not printed: its line, why, and what to do."""

    line: int
    reason: str
    hint: str = ""


def print_for(out: Path, fonts: Fonts, dpi: int) -> Print:
    """Return the print whose form the file's name ends in.

    :raises PassError: if that is neither .pdf nor .png.
    """
    form = out.suffix.lower()
    if form == PDF:
        return PdfPrint(fonts)
    if form == PNG:
        return PicturePrint(fonts, dpi=dpi)
    msg = f"{out}: print is made as {PDF} or {PNG}"
    raise PassError(msg, hint="let the file's name end so")


def require_letters(made: IssuedPass, fonts: Fonts) -> None:
    """Check that a card's lines can be written.

    :raises PassError: if the font lacks a letter.
    """
    for line in lines_of(made):
        fonts.require(line)


def draw_rows(
    onto: Print, rows: Iterable[Row], made_of: Callable[[Row], IssuedPass]
) -> tuple[list[tuple[int, IssuedPass]], list[LeftOut]]:
    """Draw a card for every row that makes one; return those with their lines, and the others."""
    sheets = CardSheets(onto)
    good: list[tuple[int, IssuedPass]] = []
    left_out: list[LeftOut] = []
    for row in rows:
        try:
            made = made_of(row)
            require_letters(made, onto.fonts)
        except ChotError as error:
            left_out.append(LeftOut(row.line, str(error), error.hint))
            continue
        sheets.add(made)
        good.append((row.line, made))
    return good, left_out


def issuing(office: Office) -> Callable[[Row], IssuedPass]:
    """Return what makes a pass of a row's fields."""

    def made_of(row: Row) -> IssuedPass:
        _require_sound(row)
        return office.issue(row.fields)

    return made_of


def reading(read: Callable[[str], IssuedPass]) -> Callable[[Row], IssuedPass]:
    """Return what makes a pass of a row's text (`office.pass_in`)."""

    def made_of(row: Row) -> IssuedPass:
        _require_sound(row)
        return read(row.fields.get(TEXT, ""))

    return made_of


def write_files(out: Path, files: list[bytes], mode: int) -> list[Path]:
    """Write the files and return their names: `out`, or `out-1`, `out-2`, … where there are more.

    :raises PassError: if one cannot be written.
    """
    several = len(files) > 1
    names = [
        out.with_name(f"{out.stem}-{number}{out.suffix}") if several else out
        for number in range(1, len(files) + 1)
    ]
    for name, data in zip(names, files, strict=True):
        write_file(name, data, mode, failure=PassError)
    return names


def _require_sound(row: Row) -> None:
    if row.fault:
        raise PassError(row.fault)
