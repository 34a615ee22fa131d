"""Protects imports from reading a whole table for every few rows: look-ups go by an index."""

from __future__ import annotations

from pathlib import Path

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts, WatchEntry
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import WATCH, Row
from hub.store.sqlite import open_store

ROWS = 4_000
STEPS = 50
"""Of SQLite's virtual machine, between two calls of its progress handler."""


async def test_finding_a_few_does_not_read_everybody(tmp_path: Path) -> None:
    documents = [Identifier(IdentifierKind.DOCUMENT, f"{n:012}") for n in range(ROWS)]
    calls = 0

    def stepped() -> int:
        nonlocal calls
        calls += 1
        return 0

    async with open_store(tmp_path / "hub.db") as store:
        await store.put_people(
            Person(n, (KnownIdentifier(one),), PersonFacts()) for n, one in enumerate(documents)
        )
        entry = WatchEntry(CredentialStatus.ACTIVE)
        async with store.change() as change:
            await change.put_rows(WATCH, [Row(d.value, (d,), entry) for d in documents])
        await store._connection._raw.set_progress_handler(stepped, STEPS)
        async with store.change() as change:
            assert len(await change.people_by(documents[:3])) == 3
            assert len(await change.rows_by(WATCH, documents[:3])) == 3
            assert len(await change.rows_of(WATCH, [documents[5].value])) == 1
    assert calls * STEPS < ROWS
