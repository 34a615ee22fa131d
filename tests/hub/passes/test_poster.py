"""Protects posters: codes of exactly 150 mm with room around them, beside a name that fits."""

from __future__ import annotations

import pytest

from hub.errors import PassError
from hub.passes.card import code_of
from hub.passes.fonts import Fonts
from hub.passes.pdf import PdfPrint
from hub.passes.poster import PAPER_MM, Poster, draw_poster
from tests.hub.passes import paper


@pytest.mark.parametrize(("paper_name", "size"), [("a4", (210, 297)), ("a3", (297, 420))])
@pytest.mark.parametrize("content", ["A", "https://example.org/d/8f3k2", "x" * 600])
def test_a_poster_has_a_code_of_150_mm(
    fonts: Fonts, paper_name: str, size: tuple[int, int], content: str
) -> None:
    onto = PdfPrint(fonts)
    draw_poster(onto, Poster(content, "Chợ Bến Thành"), paper_name)
    (pdf,) = onto.finish()
    (boxes,), (page,) = paper.page_boxes(pdf), paper.page_sizes(pdf)
    left, top, right, bottom = paper.extent(boxes)
    assert (right - left, bottom - top) == pytest.approx((150.0, 150.0), abs=0.001)
    assert page == pytest.approx(size, abs=0.001)
    quiet = 4 * 150 / len(code_of(content).matrix)
    assert left - quiet > 0
    assert top - quiet > 0
    assert paper.texts_in(paper.drawn(boxes, page, 50)) == {content}


@pytest.mark.parametrize("paper_name", ["a4", "a3"])
@pytest.mark.parametrize("words_of_name", [1, 6, 12, 20])
def test_a_site_with_a_long_name_has_it_on_several_lines(
    fonts: Fonts, paper_name: str, words_of_name: int
) -> None:
    onto = PdfPrint(fonts)
    written: list[tuple[float, float, str]] = []
    onto.text = lambda _x, baseline, text, size, *, bold: written.append((baseline, size, text))  # type: ignore[method-assign]
    site = " ".join(["Trường"] * words_of_name)
    draw_poster(onto, Poster("A", site), paper_name)
    width, height = PAPER_MM[paper_name]
    lines = written[2:-1]
    assert " ".join(text for *_, text in lines) == site
    assert min(size for _, size, _ in lines) >= 6 * width / 210
    assert [baseline for baseline, *_ in written] == sorted(b for b, *_ in written)
    assert written[-1][0] <= height - 8


@pytest.mark.parametrize("site", ["Trường " * 60, "W" * 60])
def test_a_name_that_would_be_illegible_on_a_poster_is_refused(fonts: Fonts, site: str) -> None:
    with pytest.raises(PassError, match="does not fit") as refused:
        draw_poster(PdfPrint(fonts), Poster("A", site), "a4")
    assert "shorten" in refused.value.hint


@pytest.mark.parametrize("content", ["", "x" * 601])
def test_a_poster_of_nothing_or_too_much_is_refused(fonts: Fonts, content: str) -> None:
    with pytest.raises(PassError, match="1 to 600"):
        draw_poster(PdfPrint(fonts), Poster(content, "A"), "a4")
