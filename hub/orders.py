"""Orders, each checked against the others and against the rulebooks that are published."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from admission.errors import OrdersError, RulebookError
from admission.orders import EVERYWHERE, Order, Orders, write_orders
from admission.rulebook import Rulebook
from admission.rulebook_loading import load_rulebook
from cache.replica.names import RULEBOOK
from hub.errors import DocumentError
from hub.store.registers import OrderStore

_NS_PER_S = 1_000_000_000


class Backing(StrEnum):
    """What the published rulebooks say of an order's directive."""

    PUBLISHED = "published"
    """One that counts there has it."""
    UNPUBLISHED = "unpublished"
    """None that is published counts there: each gate's own rulebook answers."""
    MISSING = "missing"
    """Those that count there do not have it."""


class Recorded(msgspec.Struct, frozen=True):
    """An order that was taken: the one whose place it took, if any, and what backs it."""

    replaced: Order | None
    backing: Backing


async def put_order(store: OrderStore, order: Order, *, force: bool = False) -> Recorded:
    """Record an order if gates can use all orders together.

    :param force: take it even if no rulebook that counts there has the directive.
    :raises DocumentError: if they could not: there are too many, a moment is out of range, or the
        rulebooks do not have the directive.
    :raises StoreError: if the store failed.
    """
    place = (order.district, order.from_s)
    held = await store.orders()
    others = [o for o in held if (o.district, o.from_s) != place]
    try:
        write_orders(Orders([*others, order]).orders)
    except OrdersError as error:
        raise DocumentError(str(error), hint=error.hint) from error
    backing = await _backing(store, order)
    if backing is Backing.MISSING and not force:
        msg = f"no published rulebook that counts there has directive {order.directive}"
        hint = "gates would open no door by it: publish its rulebook first, or --force"
        raise DocumentError(msg, hint=hint)
    await store.put_order(order)
    before = next((o for o in held if (o.district, o.from_s) == place and o != order), None)
    return Recorded(before, backing)


async def _backing(store: OrderStore, order: Order) -> Backing:
    books = [book for book in await _rulebooks(store) if _counts(book, order)]
    if not books:
        return Backing.UNPUBLISHED
    known = any(order.directive in book.directives for book in books)
    return Backing.PUBLISHED if known else Backing.MISSING


def _counts(book: Rulebook, order: Order) -> bool:
    if book.ends_ns is not None and book.ends_ns <= order.from_s * _NS_PER_S:
        return False
    return not book.districts or order.district == EVERYWHERE or order.district in book.districts


async def _rulebooks(store: OrderStore) -> list[Rulebook]:
    found = []
    for name in await store.documents():
        if not name.startswith(f"{RULEBOOK}/"):
            continue
        try:
            found.append(load_rulebook(await store.document(name) or b""))
        except RulebookError as error:
            msg = f"{name} cannot be read any more: {error}"
            raise DocumentError(msg, hint=f"put it again: chot hub document put {name}") from error
    return found
