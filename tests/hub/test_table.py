"""Protects imports from files that are none: refused as a whole, with what to do."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import CellError, TableError
from hub.forms import permits
from hub.imports import check_header
from hub.people_form import people_form
from hub.table import Table, are_sound, check_cell


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no header"),
        (b"\xff\xfed\x00", "UTF-16"),
        (b"document,Document\n1,2\n", "twice"),
        (b"document,colour\n", "colour"),
        (b"doses\n1\n", "must be there"),
        (b"x" * 20_000, "no header"),
        (b"PK\x03\x04\x14\x00\x08\rname", "no CSV in UTF-8"),
        (b"document,t\xean\n1,2\n", "no CSV in UTF-8"),
        (b'document,"name\n1,2\n', "quote"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(data: bytes, match: str) -> None:
    def header() -> None:
        columns = Table(io.BytesIO(data)).columns
        check_header(columns, people_form(columns))

    with pytest.raises(TableError, match=match) as refusal:
        header()
    assert refusal.value.hint


def test_a_form_wants_its_columns() -> None:
    with pytest.raises(TableError, match="'from' is missing"):
        check_header(("number", "document"), permits())


def test_rows_keep_their_lines_through_quotes_and_blank_lines() -> None:
    data = b'document;name\r\n1;"a\nb"\r\n\r\n2;"c;""d"""\r\n3\r\n4;"e"f\r\n5;g\r\n'
    rows = list(Table(io.BytesIO(data)).rows())
    assert [(row.line, row.cells) for row in rows if not row.problem] == [
        (2, ("1", "a\nb")),
        (5, ("2", 'c;"d"')),
        (8, ("5", "g")),
    ]
    assert [row.line for row in rows if row.problem] == [6, 7]


def test_lines_may_end_as_csv_macintosh_has_them() -> None:
    table = Table(io.BytesIO(b'document,name\r1,"a\rb"\r2,c\r'))
    assert table.columns == ("document", "name")
    assert [row.cells for row in table.rows()] == [("1", "a\rb"), ("2", "c")]


@given(st.binary(max_size=80) | st.text(',;"\r\n\tab', max_size=40).map(str.encode))
def test_any_file_is_read_or_refused(data: bytes) -> None:
    try:
        table = Table(io.BytesIO(data))
    except TableError:
        return
    for row in table.rows():
        assert row.problem or len(row.cells) == len(table.columns)


@pytest.mark.parametrize("cell", ["x" * 513, "a\nb", "\udcff", "\x00"])
def test_what_cannot_be_looked_at_is_no_cell(cell: str) -> None:
    with pytest.raises(CellError):
        check_cell(cell)
    assert not are_sound(["ok", cell])
    assert are_sound(["x" * 512, "y" * 512, ""])
