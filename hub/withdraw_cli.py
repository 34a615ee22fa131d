"""`chot hub withdraw`: one pass, permit, certificate or number, at once."""

from __future__ import annotations

import sys

import click
import msgspec

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, Permit
from hub import cells
from hub.errors import CellError, HubError
from hub.folder import DataFolder
from hub.forms import NUMBERS
from hub.options import AT_ONCE, data_option, run
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import CREDENTIALS, PERMITS, RegisterStore
from hub.store.sqlite import open_store
from hub.withdrawals import KINDS, withdrawal

PERMIT = "permit"
_ON_RECORD = tuple(name for name in NUMBERS if name not in KINDS)
_EPILOG = """
\b
permit           a movement permit, by its number
pass             a Chốt pass, by its number in hexadecimal
certificate      an EU certificate, by its UVCI as printed
dcc_uci, dcc_country_uci, dcc_signature
                 an EU certificate, by a hash of the EU's revocation lists
health_card_rid  a SMART Health Card, as kid/rid
seal             a VDS-NC seal, by issuing state and UVCI or UTCI, as UTO/U32870
document, qid, insurance, typed_code, backup_number, wallet_object
                 one number of a person on record, such as a lost card's:
                 the person's other numbers still count
"""


@click.command(epilog=_EPILOG)
@data_option
@click.argument("kind", type=click.Choice([PERMIT, *KINDS, *_ON_RECORD], case_sensitive=False))
@click.argument("number")
@click.option(
    "--issued-before",
    metavar="MOMENT",
    help="Only what was issued before, such as 2021-09-16T00:00+07:00 (passes, certificates).",
)
@click.option("--undo", is_flag=True, help="Let it count again.")
def withdraw(
    *, folder: DataFolder, kind: str, number: str, issued_before: str | None, undo: bool
) -> None:
    """Withdraw one credential: KIND says of what, NUMBER which (- reads it from standard input)."""
    folder.require()
    status = CredentialStatus.ACTIVE if undo else CredentialStatus.REVOKED
    number = sys.stdin.readline().strip() if number == "-" else number.strip()
    run(_withdraw(folder, kind, number, issued_before, status))
    click.echo(f"{'Counts again' if undo else 'Withdrawn'}. {AT_ONCE}", err=True)


async def _withdraw(
    folder: DataFolder, kind: str, number: str, issued_before: str | None, status: CredentialStatus
) -> None:
    if issued_before is not None and kind not in KINDS:
        msg = f"--issued-before says nothing of a {kind}"
        raise HubError(msg, hint=f"it is for {', '.join(KINDS)}")
    try:
        async with open_store(folder.database) as store:
            if kind == PERMIT:
                await withdraw_permit(store, number, status)
            elif kind in KINDS:
                before_h = None if issued_before is None else cells.hour_up(issued_before)
                row = withdrawal(KINDS[kind], number, before_h, status)
                async with store.change() as change:
                    await change.put_rows(CREDENTIALS, [row])
            else:
                read = cells.identifier(IdentifierKind(kind))
                await withdraw_number(store, read(number), status)
    except CellError as error:
        msg = f"no number of a {kind}: {error}"
        raise HubError(msg) from error


async def withdraw_permit(store: RegisterStore, number: str, status: CredentialStatus) -> None:
    """Give a permit on record a status.

    :raises HubError: if it is not on record.
    :raises StoreError: if the store failed.
    """
    async with store.change() as change:
        for row in await change.rows_of(PERMITS, [cells.plain(number)]):
            if isinstance(row.entry, Permit):
                entry = msgspec.structs.replace(row.entry, status=status)
                await change.put_rows(PERMITS, [msgspec.structs.replace(row, entry=entry)])
                return
    raise HubError("there is no permit of this number on record", hint="check the number")


async def withdraw_number(
    store: RegisterStore, number: Identifier, status: CredentialStatus
) -> None:
    """Give one number of a person on record a status.

    :raises HubError: if nobody is on record under it.
    :raises StoreError: if the store failed.
    """
    async with store.change() as change:
        people = await change.people_by([number])
        if not people:
            raise HubError("nobody is on record under this number", hint="check the number")
        await change.put_people([_with(person, number, status) for person in people])


def _with(person: Person, number: Identifier, status: CredentialStatus) -> Person:
    identifiers = tuple(
        KnownIdentifier(known.identifier, status) if known.identifier == number else known
        for known in person.identifiers
    )
    return msgspec.structs.replace(person, identifiers=identifiers)
