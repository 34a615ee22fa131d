"""Protects which directive is in force: by district and moment only, however it was sent."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.errors import OrdersError
from admission.instant import ClockTrust, Instant
from admission.orders import (
    EVERYWHERE,
    MAX_DIRECTIVE,
    MAX_DISTRICT,
    MAX_ORDERS,
    MAX_ORDERS_BYTES,
    Order,
    Orders,
    read_orders,
    write_orders,
)

SEPTEMBER = int(datetime.fromisoformat("2021-09-16T00:00:00+07:00").timestamp())

orders = st.lists(
    st.builds(
        Order,
        st.integers(0, 5) | st.integers(0, MAX_DISTRICT),
        st.integers(SEPTEMBER - 9, SEPTEMBER + 9) | st.integers(0, 253_370_764_799),
        st.integers(1, MAX_DIRECTIVE),
    ),
    unique_by=lambda order: (order.district, order.from_s),
    max_size=30,
)


def at(seconds: int) -> Instant:
    return Instant(seconds * 1_000_000_000 + 5, 0, "boot", ClockTrust.RTC)


def document(*rows: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"format": "chot-orders/1", "orders": list(rows)} | more).encode()


ROW = {"district": 760, "directive": 16, "from": "2021-09-16T00:00:00+07:00"}


@given(orders)
def test_what_is_written_reads_back(some: list[Order]) -> None:
    assert read_orders(write_orders(some)).orders == tuple(sorted(some))
    assert write_orders(reversed(some)) == write_orders(some)


@given(orders, st.integers(0, 6), st.integers(SEPTEMBER - 10, SEPTEMBER + 10))
def test_the_latest_order_of_the_district_counts_else_of_everywhere(
    some: list[Order], district: int, now_s: int
) -> None:
    begun = [order for order in some if order.from_s <= now_s]
    mine = [order for order in begun if order.district == district]
    general = [order for order in begun if order.district == EVERYWHERE]
    chosen = max(mine or general, key=lambda order: order.from_s, default=Order(0, 0, 15))
    assert Orders(some).directive(district, at(now_s), 15) == chosen.directive


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_arbitrary_bytes_are_refused_as_such(data: bytes) -> None:
    with pytest.raises(OrdersError):
        read_orders(data)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_arbitrary_rows_are_refused_with_their_path(row: Any) -> None:
    with pytest.raises(OrdersError, match=r"\$"):
        read_orders(document(row))


def test_the_documented_form_is_the_one_that_is_written() -> None:
    written = write_orders([Order(760, SEPTEMBER, 16)])
    assert json.loads(written) == json.loads(document(ROW))
    assert written.startswith(b'{"format":"chot-orders/1","orders":[{"district":760,')


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (document(ROW, ROW), "$.orders[1]"),
        (document(ROW, ROW | {"district": 1}), "$.orders[1]"),
        (document(ROW | {"from": "2021-09-16T00:00:00"}), "$.orders[0].from"),
        (document(ROW | {"from": "2021-02-30T00:00:00Z"}), "$.orders[0].from"),
        (document(ROW | {"from": "0001-01-01T00:00:00+23:59"}), "$.orders[0].from"),
        (document(ROW | {"from": "1969-12-31T23:59:59Z"}), "$.orders[0].from"),
        (document(ROW | {"district": MAX_DISTRICT + 1}), "$.orders[0].district"),
        (document(ROW | {"directive": 0}), "$.orders[0].directive"),
        (document(ROW | {"until": None}), "$.orders[0]"),
        (document(ROW, format="chot-orders/2"), "$.format"),
        (document(*[ROW] * (MAX_ORDERS + 1)), "$.orders"),
        (b"[" * 200_000, "$"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, path: str) -> None:
    with pytest.raises(OrdersError) as refusal:
        read_orders(data)
    assert refusal.value.hint == f"see {path}"


def test_an_oversized_document_is_refused_unread() -> None:
    with pytest.raises(OrdersError, match="at most"):
        read_orders(b" " * (MAX_ORDERS_BYTES + 1))


def test_a_document_of_as_many_orders_as_there_may_be_fits() -> None:
    many = [Order(n, SEPTEMBER, MAX_DIRECTIVE) for n in range(MAX_ORDERS)]
    assert read_orders(write_orders(many)).orders[-1] == many[-1]


@pytest.mark.parametrize(
    "some",
    [
        [Order(1, 5, 15), Order(1, 5, 16)],
        [Order(-1, 5, 15)],
        [Order(1, -5, 15)],
        [Order(1, 5, 0)],
        [Order(1, 1 << 60, 15)],
        [Order(n, 0, 15) for n in range(MAX_ORDERS + 1)],
    ],
)
def test_orders_that_make_no_law_are_refused(some: list[Order]) -> None:
    with pytest.raises(OrdersError):
        Orders(some)
