"""`chot hub directive` and `chot hub document`: what gates get as signed documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO

import click

from admission.orders import EVERYWHERE, MAX_DIRECTIVE, MAX_DISTRICT, Order
from cache.replica.head import MAX_DOCUMENT_BYTES
from hub import documents
from hub.errors import DocumentError
from hub.folder import DataFolder
from hub.options import AT_ONCE, Moment, data_option, run
from hub.orders import Backing, Recorded, put_order
from hub.store.registers import StoredDocument
from hub.store.sqlite import open_store

_VIETNAM = timezone(timedelta(hours=7))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_district = click.option(
    "--district",
    required=True,
    type=click.IntRange(EVERYWHERE, MAX_DISTRICT),
    help=f"Official district code; {EVERYWHERE} = everywhere.",
)


_from = click.option(
    "--from",
    "from_s",
    required=True,
    type=Moment(),
    help="Moment with its time zone, such as 2021-09-16T00:00+07:00.",
)

_WARNINGS = {
    Backing.UNPUBLISHED: "Warning: no rulebook that counts there is published. The own rulebook of "
    "each gate must have directive {}, or it opens no door by it.",
    Backing.MISSING: "Warning: no published rulebook that counts there has directive {}. "
    "Gates open no door by it.",
}


@click.group()
def directive() -> None:
    """Say which directive is in force in a district, and from when."""


@directive.command("set")
@data_option
@_district
@click.option("--directive", "number", required=True, type=click.IntRange(1, MAX_DIRECTIVE))
@_from
@click.option("--force", is_flag=True, help="Take it though no published rulebook has it.")
def set_(*, folder: DataFolder, district: int, number: int, from_s: int, force: bool) -> None:
    """Order a directive for a district from a moment on, until a later order.

    Gates of the district follow by themselves at that moment. One order for the same district and
    moment is replaced. Where rulebooks are published, one that counts there has the directive.
    """
    folder.require()
    order = Order(district, from_s, number)
    recorded = run(_set(folder, order, force=force))
    if recorded.replaced is not None:
        click.echo(f"Replaced: {_line(recorded.replaced)}.", err=True)
    if recorded.backing is not Backing.PUBLISHED:
        click.echo(_WARNINGS[recorded.backing].format(number), err=True)
    click.echo(f"{_line(order)}. {AT_ONCE}", err=True)


@directive.command("list")
@data_option
def list_(folder: DataFolder) -> None:
    """Show all orders by district and moment."""
    folder.require()
    for order in run(_orders(folder)):
        click.echo(_line(order))


@directive.command("remove")
@data_option
@_district
@_from
def remove(*, folder: DataFolder, district: int, from_s: int) -> None:
    """Take back an order: what was in force before goes on."""
    folder.require()
    if not run(_remove(folder, district, from_s)):
        raise DocumentError(
            "there is no such order", hint=f"chot hub directive list --data {folder.root}"
        )
    click.echo(f"Taken back. {AT_ONCE}", err=True)


async def _set(folder: DataFolder, order: Order, *, force: bool) -> Recorded:
    async with open_store(folder.database) as store:
        return await put_order(store, order, force=force)


async def _orders(folder: DataFolder) -> Sequence[Order]:
    async with open_store(folder.database) as store:
        return await store.orders()


async def _remove(folder: DataFolder, district: int, from_s: int) -> bool:
    async with open_store(folder.database) as store:
        return await store.remove_order(district, from_s)


def _line(order: Order) -> str:
    moment = (_EPOCH + timedelta(seconds=order.from_s)).astimezone(_VIETNAM).isoformat()
    where = f"district {order.district}" if order.district else "everywhere"
    return f"{where}: directive {order.directive} from {moment}"


@click.group()
def document() -> None:
    """Give gates rulebooks, lists of trusted issuers and of revoked certificates."""


@document.command()
@data_option
@click.argument("name")
@click.argument("file", type=click.File("rb"))
def put(*, folder: DataFolder, name: str, file: BinaryIO) -> None:
    """Let the document NAME be FILE (- is standard input), if gates can use it.

    NAME is rulebook/<id>, trust/dcc, trust/health-cards, trust/vds, trust/passes, revocation/dcc
    or values/dcc. It is read as a gate would before it is taken; what was there is replaced.
    """
    folder.require()
    data = file.read(MAX_DOCUMENT_BYTES + 1)
    left_out = run(_put(folder, name, data))
    click.echo(f"{name}: {len(data):,} bytes. {AT_ONCE}", err=True)
    if left_out:
        click.echo(f"Gates leave out {left_out:,} of its entries.", err=True)


@document.command("list")
@data_option
def list_documents(folder: DataFolder) -> None:
    """Show names, sizes and the beginning of their SHA-256."""
    folder.require()
    for name, held in run(_documents(folder)).items():
        click.echo(f"{name}  {held.size:,} bytes  {held.sha256.hex()[:16]}")


@document.command("remove")
@data_option
@click.argument("name")
def remove_document(*, folder: DataFolder, name: str) -> None:
    """Take a document away from the gates."""
    folder.require()
    if not run(_remove_document(folder, name)):
        msg = f"there is no document {name!r}"
        raise DocumentError(msg, hint=f"chot hub document list --data {folder.root}")
    click.echo(f"{name} is taken away. {AT_ONCE}", err=True)


async def _put(folder: DataFolder, name: str, data: bytes) -> int:
    async with open_store(folder.database) as store:
        return await documents.put(store, name, data)


async def _documents(folder: DataFolder) -> dict[str, StoredDocument]:
    async with open_store(folder.database) as store:
        return dict(await store.documents())


async def _remove_document(folder: DataFolder, name: str) -> bool:
    async with open_store(folder.database) as store:
        return await documents.remove(store, name)
