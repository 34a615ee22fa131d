"""Protects printed cards: codes of exactly 50 mm, with room around them, that read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import reportlab

from admission.credential import Holder
from admission.credentials.chot_pass import sign_pass
from admission.credentials.pass_content import PassClaims
from admission.site import Place
from hub.errors import PassError
from hub.passes import words
from hub.passes.card import CardSheets, code_of, draw_card, draw_single, lines_of
from hub.passes.fonts import Fonts, find_fonts
from hub.passes.office import IssuedPass
from hub.passes.pdf import PdfPrint
from hub.passes.picture import PicturePrint
from hub.passes.printing import PRIVATE, require_letters, write_files
from hub.passes.sheet import Print, write
from tests.admission.credentials.passes import KEY, a_permit
from tests.hub.passes import paper

LONGEST = msgspec.structs.replace(a_permit(places=tuple(Place)), holder=Holder("Nguyễn" * 6))


def _pass(number: int = 0, claims: PassClaims | None = None) -> IssuedPass:
    claims = claims or a_permit(number=number.to_bytes(8, "big"))
    return IssuedPass(sign_pass(claims, KEY), claims)


def _pdf(fonts: Fonts, draw: Callable[[Print], None]) -> bytes:
    onto = PdfPrint(fonts)
    draw(onto)
    (file,) = onto.finish()
    return file


@pytest.mark.parametrize("claims", [a_permit(), LONGEST], ids=["typical", "longest"])
def test_a_card_has_a_code_of_50_mm_that_reads_at_150_dpi(fonts: Fonts, claims: PassClaims) -> None:
    made = _pass(claims=claims)
    pdf = _pdf(fonts, lambda onto: draw_single(onto, made))
    (boxes,), (size,) = paper.page_boxes(pdf), paper.page_sizes(pdf)
    left, top, right, bottom = paper.extent(boxes)
    assert (right - left, bottom - top) == pytest.approx((50.0, 50.0), abs=0.001)
    assert size == pytest.approx((74.0, 100.0), abs=0.001)
    assert (left, top) == pytest.approx((12.0, 12.0), abs=0.001)
    assert paper.texts_in(paper.drawn(boxes, size, 150)) == {made.text}


def test_ten_cards_are_two_sheets_of_a4_and_every_code_reads(fonts: Fonts) -> None:
    made = [_pass(number) for number in range(10)]
    onto = PdfPrint(fonts)
    sheets = CardSheets(onto)
    for one in made:
        sheets.add(one)
    (pdf,) = onto.finish()
    sizes = paper.page_sizes(pdf)
    assert sizes == [pytest.approx((210.0, 297.0), abs=0.001)] * 2
    pages = [paper.drawn(boxes, sizes[0], 150) for boxes in paper.page_boxes(pdf)]
    assert paper.texts_in(pages[0]) == {one.text for one in made[:9]}
    assert paper.texts_in(pages[1]) == {made[9].text}


def test_the_cards_of_a_sheet_are_62_by_88_mm(fonts: Fonts) -> None:
    onto = PdfPrint(fonts)
    sheets = CardSheets(onto)
    for number in range(9):
        sheets.add(_pass(number))
    (boxes,) = paper.page_boxes(onto.finish()[0])
    lefts = [boxes[(boxes[:, 0] > x) & (boxes[:, 0] < x + 62)][:, 0].min() for x in (12, 74, 136)]
    tops = [boxes[(boxes[:, 1] > y) & (boxes[:, 1] < y + 88)][:, 1].min() for y in (16, 104, 192)]
    assert lefts == pytest.approx([18.0, 80.0, 142.0], abs=0.001)
    assert tops == pytest.approx([22.5, 110.5, 198.5], abs=0.001)


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="apt-get install poppler-utils")
def test_a_rendered_sheet_reads_at_150_dpi(fonts: Fonts, tmp_path: Path) -> None:
    made = [_pass(number) for number in range(9)]
    onto = PdfPrint(fonts)
    sheets = CardSheets(onto)
    for one in made:
        sheets.add(one)
    (tmp_path / "sheet.pdf").write_bytes(onto.finish()[0])
    command = ["pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", "sheet.pdf", "sheet"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    image = np.asarray(paper.Image.open(tmp_path / "sheet.png").convert("L"))
    assert paper.texts_in(image) == {one.text for one in made}


@pytest.mark.parametrize("dpi", [300, 600])
def test_a_picture_is_right_to_a_pixel_and_keeps_the_quiet_zone(fonts: Fonts, dpi: int) -> None:
    made = _pass()
    onto = PicturePrint(fonts, dpi=dpi)
    draw_single(onto, made)
    (png,) = onto.finish()
    image, written_dpi = paper.picture(png)
    assert written_dpi == pytest.approx(dpi, abs=0.1)
    assert paper.texts_in(image) == {made.text}

    def px(length_mm: float) -> int:
        return round(length_mm * dpi / 25.4)

    code = image[px(12) : px(62), px(12) : px(62)]
    for edge in (code[0, :], code[-1, :], code[:, 0], code[:, -1]):
        assert edge.min() == 0
    assert abs(code.shape[0] - 50 * dpi / 25.4) <= 1
    quiet = px(4 * 50 / len(code_of(made.text).matrix))
    around = image[px(12) - quiet : px(62) + quiet, px(12) - quiet : px(62) + quiet].copy()
    around[quiet:-quiet, quiet:-quiet] = 255
    assert around.min() == 255


def test_several_pictures_are_numbered_and_a_single_one_is_not(
    fonts: Fonts, tmp_path: Path
) -> None:
    onto = PicturePrint(fonts, dpi=300)
    for side in (10, 20):
        onto.new_sheet(side, side)
    names = write_files(tmp_path / "cards.png", onto.finish(), PRIVATE)
    assert [name.name for name in names] == ["cards-1.png", "cards-2.png"]
    assert [paper.picture(name.read_bytes())[0].shape for name in names] == [(118, 118), (236, 236)]
    assert write_files(tmp_path / "card.pdf", [b"x"], PRIVATE) == [tmp_path / "card.pdf"]


def test_no_pass_needs_a_quiet_zone_wider_than_the_card_has() -> None:
    shortest = PassClaims(msgspec.structs.replace(a_permit().granted, subject=None), 0, 1)
    bare = msgspec.structs.replace(shortest.granted, places=(), districts=(), hours=())
    code = code_of(sign_pass(msgspec.structs.replace(shortest, granted=bare), KEY))
    assert int(code.version) >= 7
    assert 4 * 50 / len(code.matrix) < 4.5


def test_the_same_passes_give_the_same_file_with_its_fonts_inside(fonts: Fonts) -> None:
    made = _pass()
    first, second = (_pdf(fonts, lambda onto: draw_single(onto, made)) for _ in range(2))
    assert first == second
    assert b"Helvetica" not in first
    assert first.count(b"/FontFile2") == 2


@pytest.mark.parametrize("make", [PdfPrint, lambda f: PicturePrint(f, dpi=300)])
def test_a_long_line_is_made_to_fit(fonts: Fonts, make: Callable[[Fonts], Print]) -> None:
    onto = make(fonts)
    onto.new_sheet(100, 100)
    written: list[tuple[str, float]] = []
    draw_text = onto.text

    def text(x: float, baseline: float, text: str, size_mm: float, *, bold: bool) -> None:
        written.append((text, onto.width_mm(text, size_mm, bold=bold)))
        draw_text(x, baseline, text, size_mm, bold=bold)

    onto.text = text  # type: ignore[method-assign]
    for letters in (8, 20, 64):
        write(onto, 0, 10, "Ư" * letters, 4, room_mm=50)
    assert [line for line, _ in written[:2]] == ["Ư" * 8, "Ư" * 20]
    assert written[2][0].endswith("…")
    assert all(width <= 50.5 for _, width in written)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Nguyễn Thị Phương Thảo", ["Nguyễn Thị Phương Thảo"]),
        ("Nguyễn Hoàng Thị Phương Thảo Quỳnh", ["Nguyễn Hoàng Thị", "Phương Thảo Quỳnh"]),
        ("Ư" * 30, ["Ư" * 30]),
    ],
)
def test_a_long_name_is_written_on_two_lines(fonts: Fonts, name: str, lines: list[str]) -> None:
    onto = PicturePrint(fonts, dpi=300)
    onto.new_sheet(62, 88)
    written: list[str] = []
    onto.text = lambda _x, _y, text, _size, *, bold: written.append(text)  # type: ignore[method-assign]
    number = msgspec.structs.replace(a_permit().granted, places=(), districts=(), hours=())
    claims = msgspec.structs.replace(a_permit(), granted=number, holder=Holder(name))
    draw_card(onto, _pass(claims=claims), 0, 0)
    assert written[2:-3] == lines


def test_without_a_font_the_package_is_named() -> None:
    with pytest.raises(PassError) as refused:
        find_fonts(searched=())
    assert "apt-get install fonts-noto-core" in refused.value.hint


def test_a_font_without_vietnamese_letters_is_refused() -> None:
    vera = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    with pytest.raises(PassError, match="Vietnamese"):
        find_fonts(vera)


@pytest.mark.parametrize("content", [None, b"", b"no font"])
def test_what_is_no_font_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "font.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PassError, match="TrueType"):
        find_fonts(path)


def test_a_name_that_the_font_cannot_write_is_refused(fonts: Fonts) -> None:
    claims = msgspec.structs.replace(a_permit(), holder=Holder("中"))
    with pytest.raises(PassError, match="中"):
        require_letters(_pass(claims=claims), fonts)


def test_a_card_says_what_an_officer_compares_in_both_languages() -> None:
    made = _pass(claims=a_permit(sites=("kho-2",)))
    assert lines_of(msgspec.structs.replace(made, issuer="Sở Y tế")) == [
        "GIẤY ĐI ĐƯỜNG",
        "Movement permit",
        "Nguyễn Thị Phương Thảo",
        "Sinh / Born: 18/01/1987",
        "Số / No. 0123 4567 89AB CDEF",
        "Từ / From: 07:00 11/09/2021",
        "Đến / Until: 07:00 14/09/2021",
        "Nơi / At: chốt kiểm soát, siêu thị / control station, supermarket",
        "Quận, huyện / District: 760, 769",
        "Cơ sở / Site: kho-2",
        "Giờ / Hours: 05:00-21:00 T2-T6 / Mon-Fri",
        "Nơi cấp / Issued by: Sở Y tế",
    ]


@pytest.mark.parametrize("claims", [a_permit(), LONGEST], ids=["typical", "longest"])
@pytest.mark.parametrize("issuer", ["", "Sở Y tế", "Ủy ban " * 9])
def test_all_that_a_card_says_is_on_it_and_can_be_read(
    fonts: Fonts, claims: PassClaims, issuer: str
) -> None:
    onto = PdfPrint(fonts)
    onto.new_sheet(62, 88)
    written: list[tuple[float, float, float, str]] = []

    def text(x: float, baseline: float, text: str, size_mm: float, *, bold: bool) -> None:
        right = x + onto.width_mm(text, size_mm, bold=bold)
        written.append((right, baseline, size_mm, text))

    onto.text = text  # type: ignore[method-assign]
    draw_card(onto, msgspec.structs.replace(_pass(claims=claims), issuer=issuer), 0, 0)
    assert max(right for right, *_ in written) <= 58.1
    assert [baseline for _, baseline, *_ in written] == sorted(b for _, b, *_ in written)
    assert all(60.5 + size < baseline <= 86 for _, baseline, size, _ in written)
    assert min(size for _, _, size, _ in written) >= 1.6
    said = " ".join(text for *_, text in written)
    for part in ("Đến / Until", "District: 760, 769", "T2-T6 / Mon-Fri", "0123 4567 89AB CDEF"):
        assert part in said
    assert ("+" in said) == (claims is LONGEST)


@pytest.mark.parametrize(
    ("weekdays", "said"),
    [(127, "every day"), (0b1011111, "Mon-Fri, Sun"), (0b11, "Mon, Tue"), (0b100100, "Wed, Sat")],
)
def test_days_are_said_short(weekdays: int, said: str) -> None:
    assert words.days(weekdays).en == said
