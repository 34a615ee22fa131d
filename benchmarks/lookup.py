"""One look-up in a replica of all datasets: what a core is busy for, by who shows a code.

A person's record stands under the document number, and the QID is an alias of it. `hit_us` is one
number in a release of `persons` alone.

Its floor in the same run is what a book cannot do without: the keyed hash of each number, and one
search for each in the largest dataset.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec
import rich.table
from rich.console import Console

from admission.credential import Credential, CredentialKind, Holder
from admission.hours import Hours
from admission.identity import (
    Identifier,
    IdentifierKind,
    PersonKey,
    identity_digester,
    person_keyer,
)
from admission.instant import ClockTrust, Instant
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    Product,
    RosterEntry,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from benchmarks.percentiles import Percentiles, percentiles
from cache.replica.alias import SPARE_BITS, Alias
from cache.replica.book import ReplicaBook
from cache.replica.build import RowSet, write_segment
from cache.replica.head import Head
from cache.replica.keys import hash_key_id
from cache.replica.layout import (
    ALIASES_1,
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_3,
    ROSTER_1,
    WATCH_1,
    Layout,
)
from cache.replica.names import ALIASES, CREDENTIALS, OFFICERS, PERMITS, PERSONS, WATCH, roster_name
from cache.replica.segment import Segment
from cache.replica.table import Table

HASH_KEY = bytes(range(32))
BORN = date(1980, 1, 18)
NOW = Instant(1_632_099_600_000_000_000, 1, "bench", ClockTrust.SYNCHRONISED)
PERMIT_EVERY, WATCHED_EVERY = 10, 997
"""Every tenth person has a permit; one in about a thousand is looked for."""
_ACTIVE, _KIND = CredentialStatus.ACTIVE, CredentialKind.PERSONAL_QR
_key_of, _digest = person_keyer(HASH_KEY), identity_digester(HASH_KEY)


class LookupFigures(msgspec.Struct, frozen=True):
    """What `chot bench lookup --json` prints. Microseconds of processor time for one code."""

    people: int
    hit_us: Percentiles
    known_us: Percentiles
    permit_us: Percentiles
    stranger_us: Percentiles
    floor_us: Percentiles


def numbers(person: int) -> tuple[Identifier, Identifier]:
    """Return the two numbers on a person's code."""
    return (
        Identifier(IdentifierKind.QID, f"16{person:014d}"),
        Identifier(IdentifierKind.DOCUMENT, f"{person:012d}"),
    )


def shown(person: int) -> Credential:
    """Return what a person's code says."""
    holder = Holder(f"NGUYEN VAN {person}", BORN)
    return Credential(_KIND, numbers(person), holder)


def measure(folder: Path, *, people: int, codes: int) -> LookupFigures:
    """Return the figures of this machine; the segments are written to `folder`."""
    tables = {name: _table(folder, *rows) for name, rows in _datasets(people).items()}
    head = Head(1, NOW.wall_ns, NOW.wall_ns + 1, 2, hash_key_id(HASH_KEY), {}, {})
    book, alone = ReplicaBook(HASH_KEY), ReplicaBook(HASH_KEY)
    book.swap(tables, head)
    alone.swap({PERSONS: tables[PERSONS]}, head)
    locate = tables[PERSONS].locate
    drawn = random.Random(1)
    ordinary = [drawn.randrange(people) for _ in range(codes)]
    permitted = [person // PERMIT_EVERY * PERMIT_EVERY for person in ordinary]

    def look_up(credential: Credential) -> object:
        return book.standing_of(credential, NOW)

    def floor(credential: Credential) -> object:
        return [locate(_key_of(identifier)) for identifier in credential.identifiers]

    def hit(credential: Credential) -> object:
        return alone.standing_of(credential, NOW)

    return LookupFigures(
        people=people,
        hit_us=_timed(hit, [Credential(_KIND, numbers(p)[1:]) for p in ordinary]),
        known_us=_timed(look_up, [shown(p if p % PERMIT_EVERY else p + 1) for p in ordinary]),
        permit_us=_timed(look_up, [shown(p) for p in permitted]),
        stranger_us=_timed(look_up, [shown(people + 1 + p) for p in ordinary]),
        floor_us=_timed(floor, [shown(p) for p in ordinary]),
    )


def _timed(work: Callable[[Credential], object], codes: list[Credential]) -> Percentiles:
    for code in codes[:1_000]:
        work(code)
    took = []
    for code in codes:
        begun = time.thread_time_ns()
        work(code)
        took.append((time.thread_time_ns() - begun) / 1e3)
    return percentiles(took, digits=1)


def _datasets(people: int) -> dict[str, tuple[Layout[Any], Iterator[tuple[PersonKey, Any]]]]:
    permit = Permit(_ACTIVE, 453_300, 453_372, 0, 760, Hours(360, 1_200))
    everybody = range(people)
    return {
        PERSONS: (PERSONS_3, ((_key_of(numbers(n)[1]), _facts(n)) for n in everybody)),
        ALIASES: (ALIASES_1, ((_key_of(numbers(n)[0]), _alias(n)) for n in everybody)),
        PERMITS: (PERMITS_1, _each(range(0, people, PERMIT_EVERY), permit)),
        roster_name("bench"): (
            ROSTER_1,
            _each(range(people, people + 3_000), RosterEntry(_ACTIVE)),
        ),
        WATCH: (WATCH_1, _each(range(0, people, WATCHED_EVERY), WatchEntry(_ACTIVE))),
        OFFICERS: (OFFICERS_1, _each(range(people, people + 4_016), Officer(_ACTIVE, 1))),
        CREDENTIALS: (CREDENTIALS_1, _each(range(2_000), Withdrawal())),
    }


def _each(people: Iterable[int], record: msgspec.Struct) -> Iterator[tuple[PersonKey, Any]]:
    """Yield the same record under both numbers of each person."""
    return ((_key_of(number), record) for person in people for number in numbers(person))


def _alias(person: int) -> Alias:
    return Alias(_ACTIVE, _key_of(numbers(person)[1]) >> SPARE_BITS)


def _facts(person: int) -> PersonFacts:
    return PersonFacts(
        doses=2,
        product=Product.PFIZER,
        last_dose=date(2021, 7, 1),
        born=BORN,
        district=760,
        tested_h=453_300,
        test_result=TestResult.NEGATIVE,
        declared_h=453_312,
        identity=_digest(f"NGUYEN VAN {person}", BORN),
    )


def _table(folder: Path, layout: Layout[Any], records: Iterator[tuple[PersonKey, Any]]) -> Table:
    rows = RowSet(layout)
    for key, record in records:
        rows.add(key, layout.pack(record))
    path = folder / str(layout.id)
    write_segment(path, rows, hash_key_id(HASH_KEY))
    return Table(Segment.open(path))


@click.command()
@click.option("--people", default=200_000, show_default=True, type=click.IntRange(100, 5_000_000))
@click.option("--codes", default=20_000, show_default=True, type=click.IntRange(10, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def lookup(*, people: int, codes: int, as_json: bool) -> None:
    """One look-up in all datasets of the replica: what it costs beside its floor."""
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="chot-bench-") as folder,
        console.status("writing and asking a replica"),
    ):
        figures = measure(Path(folder), people=people, codes=codes)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    table = rich.table.Table("who", "p50", "p99", title=f"{people:,} people, two numbers on a code")
    for who, found in (
        ("one number, people alone", figures.hit_us),
        ("on record", figures.known_us),
        ("with a permit", figures.permit_us),
        ("not on record", figures.stranger_us),
        ("floor: two hashes, two searches", figures.floor_us),
    ):
        table.add_row(who, f"{found.p50} µs", f"{found.p99} µs")
    Console().print(table)
