"""A whole build at the hub: from everybody in the store to a signed release, and one change after.

The store is filled by SQL, far faster than an import: facts are arithmetic on the person's number,
so that it is the same population every time. Only what `chot hub publish` does is measured.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import time
from pathlib import Path

import msgspec

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus
from benchmarks.child import in_child
from benchmarks.machine import Machine, this_machine
from benchmarks.progress import Progress
from cache.replica.names import ALIASES, PERSONS
from hub.clock import HubClock
from hub.errors import HubError
from hub.folder import DataFolder
from hub.keys import create_keys, load_keys
from hub.publish import Publisher
from hub.release import Release
from hub.store.port import KnownIdentifier
from hub.store.sqlite import open_store

MAX_NUMBERS = 3
CHANGES = 20
_STEP = 100_000
_KIB, _MIB = 1024, 1 << 20

_PERSON = """
INSERT INTO person
WITH RECURSIVE one(i) AS (VALUES (:first) UNION ALL SELECT i + 1 FROM one WHERE i < :last)
SELECT i, i % 3, CASE WHEN i % 3 THEN 1 + i % 4 ELSE 0 END,
  CASE WHEN i % 3 THEN date('2021-01-01', (i / 7 % 250) || ' days') END,
  CASE WHEN i % 25 = 0 THEN date('2021-01-01', (i / 25 % 250) || ' days') END,
  date('1935-01-01', (i * 37 % 27000) || ' days'), i % 8 = 0,
  CASE WHEN i % 100 = 0 THEN date('2021-09-01', (i / 100 % 14) || ' days') END,
  760 + i % 24, CASE WHEN i % 3 = 1 THEN 452000 + i / 3 % 800 END, i % 3 = 1,
  CASE WHEN i % 5 < 3 THEN 452400 + i / 5 % 400 END, i % 97 = 0, 0, 1 + i * 7919 % 65535 FROM one
"""
_NUMBERS = (
    (IdentifierKind.QID, "printf('90%014d', i * 61 % 99999999999973)"),
    (IdentifierKind.DOCUMENT, "printf('%012d', i * 37)"),
    (IdentifierKind.TYPED_CODE, "printf('%011d', i * 11)"),
)


class PublishFigures(msgspec.Struct, frozen=True):
    """What `chot bench publish --json` prints. Memory is the process's peak, resident."""

    people: int
    numbers_each: int
    build_s: float
    build_processor_s: float
    peak_mib: float
    change_ms: float
    """From a committed change of one person to the head that says it, median."""
    bytes_per_person: float
    bytes_per_further_number: float | None
    machine: Machine


class _Built(msgspec.Struct, frozen=True):
    build_s: float
    processor_s: float
    peak_bytes: int
    changes_s: list[float]
    persons: float
    aliases: float | None


def measure(folder: Path, *, people: int, numbers: int, progress: Progress) -> PublishFigures:
    """Return the figures of this machine. Writes to `folder`, some 300 bytes a person.

    :param numbers: identifiers each, 1 to `MAX_NUMBERS`.
    :raises ChildError: if the build fails.
    """
    hub = DataFolder(folder / "hub")
    hub.create()
    create_keys(hub.keys)
    _fill(hub.database, people, numbers, progress)
    progress("building the release", 0.0)
    built, _ = in_child(_build, hub.root, people)
    return PublishFigures(
        people=people,
        numbers_each=numbers,
        build_s=round(built.build_s, 2),
        build_processor_s=round(built.processor_s, 2),
        peak_mib=round(built.peak_bytes / _MIB, 1),
        change_ms=round(sorted(built.changes_s)[len(built.changes_s) // 2] * 1e3, 1),
        bytes_per_person=round(built.persons, 2),
        bytes_per_further_number=None if built.aliases is None else round(built.aliases, 2),
        machine=this_machine(),
    )


def _fill(database: Path, people: int, numbers: int, progress: Progress) -> None:
    asyncio.run(_touch(database))
    # What is filled here is thrown away: it need not outlive a power cut.
    store = sqlite3.connect(database, isolation_level=None)
    try:
        store.execute("PRAGMA synchronous = OFF")
        store.execute("BEGIN")
        store.execute("DROP INDEX identifier_by_person")
        for first in range(0, people, _STEP):
            progress("filling the store: people", first / people)
            store.execute(_PERSON, {"first": first, "last": min(first + _STEP, people) - 1})
        for place, (kind, value) in enumerate(_NUMBERS[:numbers]):
            progress("filling the store: numbers", place / numbers)
            store.execute(
                f"INSERT INTO identifier SELECT ?, {value}, number, ?, number % 97 = 0"  # noqa: S608 constants
                " FROM (SELECT number AS i, number FROM person) ORDER BY 2",
                (kind.value, place),
            )
        store.execute("CREATE INDEX identifier_by_person ON identifier (person, place, status)")
        store.execute(
            "INSERT INTO revision (name, number, live, logged_after) VALUES ('persons', 1, 1, 1)"
        )
        store.execute("UPDATE highest_person SET number = ?", (people - 1,))
        store.execute("COMMIT")
    finally:
        store.close()


async def _touch(database: Path) -> None:
    async with open_store(database):
        pass


def _build(root: Path, people: int) -> _Built:
    return asyncio.run(_built(DataFolder(root), people))


async def _built(hub: DataFolder, people: int) -> _Built:
    publisher, clock = Publisher(hub.published, load_keys(hub.keys)), HubClock()
    async with open_store(hub.database) as store:
        release = Release(store, publisher)
        began, before = time.perf_counter(), os.times()
        head = await release.publish(clock.now())
        took, after = time.perf_counter() - began, os.times()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
        if head is None:
            raise HubError("nothing was published")
        changes = []
        for number in range(CHANGES):
            whose = Identifier(_NUMBERS[0][0], _qid(number * people // CHANGES))
            async with store.change() as change:
                (person,) = await change.people_by([whose])
                revoked = tuple(
                    KnownIdentifier(known.identifier, CredentialStatus.REVOKED)
                    for known in person.identifiers
                )
                await change.put_people([msgspec.structs.replace(person, identifiers=revoked)])
            began = time.perf_counter()
            await release.publish_changes(clock.now(), limit=2_000)
            changes.append(time.perf_counter() - began)
    persons, aliases = head.datasets[PERSONS], head.datasets.get(ALIASES)
    return _Built(
        took,
        after.user + after.system - before.user - before.system,
        peak,
        changes,
        persons.size / persons.rows,
        aliases.size / aliases.rows if aliases and aliases.rows else None,
    )


def _qid(number: int) -> str:
    return f"90{number * 61 % 99_999_999_999_973:014}"
