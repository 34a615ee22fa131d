"""Orders: which directive is in force in which district, and from when.

The signed document `orders` is one JSON object, format `chot-orders/1`:

| key | content |
|---|---|
| `format` | `"chot-orders/1"` |
| `orders` | list of `{"district", "directive", "from"}`, ascending by district and moment |

`district` is the official code (General Statistics Office) or 0 for everywhere; `from` is a moment
of RFC 3339 with its offset, to the second. An order counts until a later one for the same place.
What is wrong refuses the whole document: half of it would be another law.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from admission.errors import OrdersError
from admission.instant import Instant

FORMAT = "chot-orders/1"
MAX_ORDERS = 4_096
MAX_ORDERS_BYTES = 512 * 1024
EVERYWHERE = 0
"""The district code of an order for the whole region."""
MAX_DISTRICT = 16_383
MAX_DIRECTIVE = 9_999

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S = 0
_LAST_S = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_VIETNAM = timezone(timedelta(hours=7))
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})", re.ASCII)
_AT = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$")


class Order(msgspec.Struct, frozen=True, order=True, gc=False):
    """From `from_s` (seconds since the Unix epoch, UTC) on, `directive` is in force in `district`.

    `district` is a code, `EVERYWHERE` for the whole region.
    """

    district: int
    from_s: int
    directive: int


class Orders:
    """All orders of a region. The same district and moment stand in it once.

    :raises OrdersError: if there are too many, two contradict each other, or one is out of range.
    """

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self.orders = tuple(sorted(orders))
        _check(self.orders)
        timelines: dict[int, tuple[list[int], list[int]]] = {}
        for order in self.orders:
            moments, directives = timelines.setdefault(order.district, ([], []))
            moments.append(order.from_s)
            directives.append(order.directive)
        self._timelines: Mapping[int, tuple[list[int], list[int]]] = timelines

    def directive(self, district_code: int, now: Instant, default: int) -> int:
        """Return the directive in force: the district's latest order, else everywhere's, else none.

        By wall time: where nobody vouches for that, the caller must not rely on the answer.

        :param district_code: 0 where a site does not state its district.
        :param default: what holds where no order is in force.
        """
        if not self.orders:
            return default
        now_s = now.wall_ns // 1_000_000_000
        for district in (district_code, EVERYWHERE):
            moments, directives = self._timelines.get(district, ((), ()))
            if place := bisect_right(moments, now_s):
                return directives[place - 1]
        return default


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part in which an unknown key is an error: a typing mistake must not be law."""


class _OrderForm(_Form, frozen=True, rename={"moment": "from"}):
    district: Annotated[int, Meta(ge=0, le=MAX_DISTRICT)]
    directive: Annotated[int, Meta(ge=1, le=MAX_DIRECTIVE)]
    moment: Annotated[str, Meta(max_length=25)]


class _OrdersForm(_Form, frozen=True):
    format: Literal["chot-orders/1"]
    orders: Annotated[list[_OrderForm], Meta(max_length=MAX_ORDERS)]


_decode = msgspec.json.Decoder(_OrdersForm).decode


def read_orders(data: bytes) -> Orders:
    """Return the orders of a `chot-orders/1` document.

    :raises OrdersError: if it is too large, no JSON, wrong in a key or value, not ascending, or
        says one thing twice; the hint names the JSON path of what is wrong.
    """
    if len(data) > MAX_ORDERS_BYTES:
        msg = f"orders have at most {MAX_ORDERS_BYTES} bytes, not {len(data)}"
        raise OrdersError(msg, hint="remove orders that ended long ago")
    try:
        form = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _AT.search(str(error))
        path = found[1] if found else "$"
        raise _wrong(_AT.sub("", str(error)), path) from error
    orders: list[Order] = []
    for number, row in enumerate(form.orders):
        path = f"$.orders[{number}]"
        order = Order(row.district, _seconds(row.moment, f"{path}.from"), row.directive)
        if orders and (orders[-1].district, orders[-1].from_s) >= (order.district, order.from_s):
            raise _wrong("orders ascend by district and moment, each once", path)
        orders.append(order)
    return Orders(orders)


def write_orders(orders: Iterable[Order]) -> bytes:
    """Return the document of these orders, moments in Vietnam's time; `read_orders` reads it back.

    :raises OrdersError: as `Orders`.
    """
    rows = [
        _OrderForm(
            order.district,
            order.directive,
            (_EPOCH + timedelta(seconds=order.from_s)).astimezone(_VIETNAM).isoformat(),
        )
        for order in Orders(orders).orders
    ]
    return msgspec.json.encode(_OrdersForm("chot-orders/1", rows))


def _check(orders: tuple[Order, ...]) -> None:
    if len(orders) > MAX_ORDERS:
        msg = f"there are at most {MAX_ORDERS} orders, not {len(orders)}"
        raise OrdersError(msg, hint="remove orders that ended long ago")
    before: tuple[int, int] | None = None
    for order in orders:
        place = (order.district, order.from_s)
        if place == before:
            msg = f"two orders for district {order.district} begin at the same moment"
            raise OrdersError(msg, hint="remove one of them")
        before = place
        sound = (
            0 <= order.district <= MAX_DISTRICT
            and 1 <= order.directive <= MAX_DIRECTIVE
            and _FIRST_S <= order.from_s < _LAST_S
        )
        if not sound:
            msg = f"district {order.district}, directive {order.directive}: out of range"
            raise OrdersError(msg, hint="districts to 16383, directives 1 to 9999, years to 9998")


def _seconds(text: str, path: str) -> int:
    if not _MOMENT.fullmatch(text):
        raise _wrong("a moment is written 2021-09-16T00:00:00+07:00", path)
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (ValueError, OverflowError) as error:
        raise _wrong("no such moment", path) from error
    seconds = int(since.total_seconds())
    if not _FIRST_S <= seconds < _LAST_S:
        raise _wrong("a moment lies between 1970 and 9998", path)
    return seconds


def _wrong(message: str, path: str) -> OrdersError:
    return OrdersError(f"the orders are wrong at {path}: {message}", hint=f"see {path}")
