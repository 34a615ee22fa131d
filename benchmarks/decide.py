"""Reading to verdict for every kind of credential, beside the bare check of its signature.

The whole way that a reading takes before the journal: parsing and verifying, every data set of the
replica, the zone, all clauses of the law. Codes of signed kinds are made anew in each run
(`decide_codes`); the bare verification by `cryptography` of the same signature, call by call in
between, is what no gate can undercut.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path

import msgspec

from admission.credentials import (
    backup_number,
    citizen_card,
    insurance_card,
    personal_qr,
    rotating_code,
    typed_code,
)
from admission.credentials.rotating_scheme import Scheme, SchemeTable
from admission.identity import (
    Identifier,
    IdentifierKind,
    PersonKey,
    normalise,
    permit_keys,
    person_keyer,
)
from admission.instant import ClockTrust, Instant
from admission.law import Law
from admission.reading import Reading, Symbology
from admission.repeat import UsedOnce
from admission.reset import DailyReset
from admission.rulebook_loading import load_rulebook
from admission.rulebooks import Rulebooks
from admission.site import Direction, Place, Site
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    RosterEntry,
    WatchEntry,
    Withdrawal,
)
from admission.verdict import Outcome, Reason
from admission.zone import Zone
from appliance.clock import SystemClock
from appliance.judging import Judge
from appliance.pseudonym_key import KEY_BYTES, KeyPlace, new_record
from appliance.pseudonyms import Pseudonyms
from benchmarks import decide_codes
from benchmarks.percentiles import percentiles
from cache.replica import layout
from cache.replica.book import ReplicaBook
from cache.replica.build import RowSet, write_segment
from cache.replica.head import Head
from cache.replica.names import CREDENTIALS, OFFICERS, PERMITS, PERSONS, WATCH, roster_name
from cache.replica.segment import Segment
from cache.replica.table import Table
from hub.store.port import rows_of
from hub.synthetic import Cohort, Population

RULEBOOK = Path(__file__).resolve().parents[1] / "configs" / "rulebooks" / "hcmc-2021-09.json"
VIETNAM = timezone(timedelta(hours=7))
RESET = DailyReset(4 * 60, VIETNAM)
RECORD = new_record(bytes(KEY_BYTES), None, bytes(16), 1)
HASH_KEY, HASH_KEY_ID = bytes(range(32)), bytes(8)
SITE_ID = "bench"
HOUR_NS = 3_600_000_000_000
WARM_UP = 200

BACKUP = backup_number.render(5_721_300_486_111)
INSURANCE = "DN4790123456789"
WALLET_OBJECT = "object-1"
OTHER_NUMBERS = (
    Identifier(IdentifierKind.BACKUP_NUMBER, BACKUP),
    normalise(IdentifierKind.INSURANCE, INSURANCE),
    normalise(IdentifierKind.WALLET_OBJECT, WALLET_OBJECT),
)


class KindFigures(msgspec.Struct, frozen=True):
    """One kind. `signature_us` is the median of the bare check, None for an unsigned kind."""

    p50_us: float
    p99_us: float
    signature_us: float | None
    ratio: float | None
    """Median over the median of the bare check."""
    outcome: Outcome
    reason: Reason


class DecideFigures(msgspec.Struct, frozen=True):
    """What `chot bench decide --json` prints. Times of the calling thread's processor."""

    people: int
    repetitions: int
    kinds: dict[str, KindFigures]


class World(msgspec.Struct, frozen=True):
    """A gate with every data set, and one code of each kind."""

    judge: Judge
    texts: dict[str, str]
    floors: dict[str, Callable[[], None]]


def measure(
    folder: Path, *, people: int, repetitions: int, progress: Callable[[int], None]
) -> DecideFigures:
    """Judge the code of each kind `repetitions` times, in turn with its bare check.

    :param folder: where the data sets are written.
    :param progress: called with the number of kinds done.
    """
    now = Instant(time.time_ns(), time.monotonic_ns(), "bench", ClockTrust.SYNCHRONISED)
    world = build_world(folder, people, now)
    kinds = {}
    for done, (kind, text) in enumerate(world.texts.items(), start=1):
        kinds[kind] = _kind(world, kind, text, now, repetitions)
        progress(done)
    return DecideFigures(people, repetitions, kinds)


def _kind(world: World, kind: str, text: str, now: Instant, repetitions: int) -> KindFigures:
    reading = Reading(text, Symbology.QR_CODE, "bench", now.monotonic_ns)
    floor = world.floors.get(kind)
    ours: list[float] = []
    bare: list[float] = []
    judgement = world.judge.judge(reading, now)
    world.judge.give_back(judgement)
    for _ in range(WARM_UP + repetitions):
        begun = time.thread_time_ns()
        judgement = world.judge.judge(reading, now)
        ours.append((time.thread_time_ns() - begun) / 1e3)
        world.judge.give_back(judgement)
        if floor is not None:
            begun = time.thread_time_ns()
            floor()
            bare.append((time.thread_time_ns() - begun) / 1e3)
    spent = percentiles(ours[WARM_UP:], digits=1)
    signature = percentiles(bare[WARM_UP:], digits=1).p50 if bare else None
    return KindFigures(
        spent.p50,
        spent.p99,
        signature,
        round(spent.p50 / signature, 2) if signature else None,
        judgement.verdict.outcome,
        judgement.verdict.reason,
    )


class _NoJournal:
    """Stands where pseudonyms ask how far the journal goes; here it is never asked."""

    journal_id = RECORD.journal
    last_sequence = 0


def build_world(folder: Path, people: int, now: Instant) -> World:
    """Return the gate: `people` with permits, a roster, a watch list, officers, withdrawals."""
    population = Population(1, people, now.date_in(VIETNAM))
    index = next(i for i in range(people) if population.cohort(i) is Cohort.GREEN)
    key_of = person_keyer(HASH_KEY)
    who = population.person(index)
    resident = population.resident(index)
    subject = key_of(who.identifiers[0].identifier)
    made = decide_codes.make(now, subject)
    scheme = Scheme(SchemeTable("bench", bytes(range(32)).hex()))
    trust = msgspec.structs.replace(made.trust, rotating=(scheme,))
    book = ReplicaBook(HASH_KEY)
    segments = _segments(folder, population, now, known_as=index)
    head = Head(1, now.wall_ns, now.wall_ns + 24 * HOUR_NS, 2, HASH_KEY_ID, {}, {})
    book.swap(segments, head)
    site = Site(SITE_ID, SITE_ID, Place.SUPERMARKET, SITE_ID, 15, VIETNAM, 760)
    judge = Judge(
        "bench",
        site,
        law=Law(Rulebooks(load_rulebook(RULEBOOK.read_bytes())), trust=trust),
        book=book,
        zone=Zone(RESET),
        used=UsedOnce(),
        tokens=Pseudonyms(
            RECORD, KeyPlace(None), RESET, _NoJournal(), SystemClock(), random_bytes=os.urandom
        ),
        direction=Direction.IN,
        digest_key=bytes(32),
    )
    texts = {
        "personal_qr": personal_qr.render(
            document=resident.document, name=resident.name, born=resident.born, qid=resident.qid
        ),
        "citizen_card": citizen_card.render(
            cccd=resident.document,
            name=resident.name,
            born=resident.born,
            sex="Nữ" if resident.female else "Nam",
            address=resident.address,
            issued=resident.card_issued,
        ),
        "insurance_card": insurance_card.render(
            number=INSURANCE,
            name=resident.name,
            born=resident.born,
            female=resident.female,
            address=resident.address,
            hospital="79-025",
            valid=(resident.card_issued, resident.card_issued + timedelta(days=365)),
        ),
        "typed_code": typed_code.render(resident.code),
        "backup_number": BACKUP,
        "rotating_code": rotating_code.render(scheme, WALLET_OBJECT, now.wall_ns // 1_000_000),
        "unrecognised": "https://example.org/menu?table=7",
        **{kind: code.text for kind, code in made.codes.items()},
    }
    return World(judge, texts, {kind: code.floor for kind, code in made.codes.items()})


def _segments(
    folder: Path, population: Population, now: Instant, known_as: int
) -> dict[str, Table | None]:
    """Write every data set; each other one of the people is on the roster.

    :param known_as: whom the numbers of `OTHER_NUMBERS` lead to as well.
    """
    key_of, active, now_h = person_keyer(HASH_KEY), CredentialStatus.ACTIVE, now.wall_ns // HOUR_NS
    rows = {
        PERSONS: RowSet(layout.PERSONS_2),
        PERMITS: RowSet(layout.PERMITS_1),
        roster_name(SITE_ID): RowSet(layout.ROSTER_1),
        WATCH: RowSet(layout.WATCH_1),
        OFFICERS: RowSet(layout.OFFICERS_1),
        CREDENTIALS: RowSet(layout.CREDENTIALS_1),
    }
    permit = layout.PERMITS_1.pack(Permit(active, now_h - 1, now_h + 71))
    worker = layout.ROSTER_1.pack(RosterEntry(active))
    for number, person in enumerate(population):
        identified = list(rows_of(person))
        if number == known_as:
            identified += [(other, identified[0][1]) for other in OTHER_NUMBERS]
        for identifier, facts in identified:
            key = key_of(identifier)
            rows[PERSONS].add(key, layout.PERSONS_2.pack(facts))
            rows[PERMITS].add(permit_keys(key)[0], permit)
            if number % 2:
                rows[roster_name(SITE_ID)].add(key, worker)
    rng = random.Random(1)
    for number in range(1, 1_001):
        stranger = PersonKey(rng.getrandbits(64))
        rows[WATCH].add(stranger, layout.WATCH_1.pack(WatchEntry(active)))
        rows[OFFICERS].add(stranger, layout.OFFICERS_1.pack(Officer(active, number)))
        withdrawn = key_of(Identifier(IdentifierKind.DCC_UCI, f"{number:032x}"))
        rows[CREDENTIALS].add(withdrawn, layout.CREDENTIALS_1.pack(Withdrawal()))
    segments: dict[str, Table | None] = {}
    for name, rowset in rows.items():
        path = folder / f"{name.replace('/', '-')}.segment"
        write_segment(path, rowset, HASH_KEY_ID)
        segments[name] = Table(Segment.open(path))
    return segments
