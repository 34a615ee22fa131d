"""A token on paper and on the screen: a QR code (ISO/IEC 18004) and what it is for."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import segno

from admission.enrolment import Token
from hub.passes.fonts import find_fonts
from hub.passes.pdf import PdfPrint
from hub.passes.sheet import Align, draw_code, write
from hub.store.enrolment import EnrolmentToken
from hub.writing import write_file

_WIDTH_MM, _HEIGHT_MM = 148.0, 210.0  # A5
_CODE_MM = 90.0
_TOP_MM = 50.0
_MARGIN_MM = 12.0
_PRIVATE = 0o600


def code_of(text: str) -> segno.QRCode:
    """Return the QR code of a token's text, in alphanumeric mode."""
    return segno.make(text, error="m", micro=False, boost_error=False)


def in_terminal(text: str) -> str:
    """Return the code as block characters."""
    out = io.StringIO()
    code_of(text).terminal(out, compact=True)
    return out.getvalue()


def write_svg(path: Path, text: str) -> None:
    """Write the code alone as a picture, 0600.

    :raises HubError: if that fails.
    """
    out = io.BytesIO()
    code_of(text).save(out, kind="svg", scale=4)
    write_file(path, out.getvalue(), _PRIVATE)


def write_pdf(path: Path, text: str, token: Token, kept: EnrolmentToken) -> None:
    """Write a sheet of A5 with the code and what it is for, 0600.

    :raises HubError: if that fails, or there is no font to print with.
    """
    onto = PdfPrint(find_fonts())
    onto.new_sheet(_WIDTH_MM, _HEIGHT_MM)
    middle, room = _WIDTH_MM / 2, _WIDTH_MM - 2 * _MARGIN_MM
    ends = datetime.fromtimestamp(kept.expires_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
    below = _TOP_MM + _CODE_MM
    for baseline, line, size_mm, bold in (
        (20.0, "Mã ghi danh thiết bị", 8.0, True),
        (30.0, "Device enrolment token: secret, for one use", 5.0, False),
        (below + 14.0, f"{token.site} · {token.serial}", 5.5, True),
        (below + 22.0, kept.device or "", 5.0, False),
        (below + 32.0, f"đến / until {ends}", 4.5, False),
        (below + 42.0, token.url, 4.0, False),
    ):
        if line:
            onto.fonts.require(line)
            write(
                onto, middle, baseline, line, size_mm, bold=bold, room_mm=room, align=Align.CENTRE
            )
    left = (_WIDTH_MM - _CODE_MM) / 2
    draw_code(onto, code_of(text).matrix, left, _TOP_MM, _CODE_MM)
    write_file(path, onto.finish()[0], _PRIVATE)


def write_text(path: Path, text: str) -> None:
    """Write the token's text to a file, 0600.

    :raises HubError: if that fails.
    """
    write_file(path, text.encode("ascii") + b"\n", _PRIVATE)
