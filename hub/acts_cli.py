"""`chot hub corrections`, `overrides` and `alerts`: what officers did and were told, at all gates.

The hub keeps a person's keyed hash with an entry, no name and no number, and gates seal it for the
hub alone. `--identify` looks for whose it is among the people on record, and names them by the
hub's own number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
import msgspec

from admission.identity import person_keyer
from admission.passage import Event
from cache.replica.alias import person_of
from cache.replica.keys import load_hash_key
from hub.entry_reading import EntryReading, ReadPassage
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.listing import moment, print_table, short
from hub.options import Moment, data_option, run
from hub.progress import progress_bar
from hub.seals import Seals
from hub.store.entries import JournalKey
from hub.store.marks import MarkedEntry, MarkKind
from hub.store.port import PersonStore
from hub.store.sqlite import open_store


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a list. `person` is the keyed hash in hex; `on_record` the hub's own number.

    `event` is what the entry is about: a scan, an officer's act, or what happened at the gate.
    Where it is `sealed`, no key of this hub opens what the gate sealed: person and officer.
    """

    at: str
    received: str
    site: str
    lane: str
    outcome: str
    reasons: tuple[str, ...]
    device: str
    journal: str
    sequence: int
    alerts: tuple[str, ...] = ()
    note: str = ""
    officer: int | None = None
    about: int | None = None
    person: str | None = None
    on_record: int | None = None
    sealed: bool = False
    event: str = Event.SCAN.value


def _listing(
    name: str, kind: MarkKind, what: str, columns: Mapping[str, Callable[[Act], str]]
) -> click.Command:
    """Return the command that lists one kind."""

    @click.command(name, help=what)
    @data_option
    @click.option(
        "--since",
        type=Moment(),
        default="1970-01-01T00:00+00:00",
        help="Received since then, such as 2021-09-16T00:00+07:00; everything if left out.",
    )
    @click.option("--site", help="Of this site only, by its id.")
    @click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000))
    @click.option("--identify", is_flag=True, help="Look for whom on record each one is about.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    def listing(
        *,
        folder: DataFolder,
        since: int,
        site: str | None,
        limit: int,
        identify: bool,
        as_json: bool,
    ) -> None:
        folder.require()
        since_ns = max(0, since) * 1_000_000_000
        acts = run(_acts(folder, kind, since_ns, site, limit, identify=identify))
        if as_json:
            for act in acts:
                click.echo(msgspec.json.encode(act))
            return
        shown = dict(columns)
        if identify:
            shown["on record"] = lambda act: "" if act.on_record is None else str(act.on_record)
        print_table(list(shown), ([read(act) for read in shown.values()] for act in acts))
        click.echo(f"{len(acts):,} listed, the last received first.", err=True)

    return listing


async def _acts(
    folder: DataFolder,
    kind: MarkKind,
    since_ns: int,
    site: str | None,
    limit: int,
    *,
    identify: bool,
) -> list[Act]:
    async with open_store(folder.database) as store:
        marked = await store.marked(kind, since_ns=since_ns, site=site, limit=limit)
        reading = EntryReading(store, Seals.of(load_keys(folder.keys)))
        read = [(one, entry) for one in marked if (entry := await _read(reading, one)) is not None]
        on_record: Mapping[int, int] = {}
        if identify:
            persons = (entry.passage.person for _, entry in read)
            wanted = {person for person in persons if person is not None}
            on_record = await numbers_of(store, wanted, load_hash_key(folder.hash_key))
    return [_act(one, entry, on_record) for one, entry in read]


async def numbers_of(store: PersonStore, wanted: set[int], hash_key: bytes) -> dict[int, int]:
    """Return the hub's own number of the person behind each of these keys, of those on record.

    Gates write the key that stands for a person (`alias.person_of`), and of somebody who was not on
    record yet the key of a number. Looks at everybody once, as the keys cannot be turned round.
    """
    key_of, found = person_keyer(hash_key), dict[int, int]()
    if not wanted:
        return found
    with progress_bar("looking for them", await store.people_count()) as bar:
        looked = 0
        async for chunk in store.people():
            for person in chunk:
                for known in person.identifiers:
                    key = key_of(known.identifier)
                    for written in {key, person_of(key)} & wanted:
                        found[written] = person.number
            looked += len(chunk)
            bar.reached(looked)
            if len(found) == len(wanted):
                break
    return found


async def _read(reading: EntryReading, one: MarkedEntry) -> ReadPassage | None:
    return await reading.passage(JournalKey(one.device, one.journal), one.sequence, one.packed)


def _act(one: MarkedEntry, read: ReadPassage, on_record: Mapping[int, int]) -> Act:
    entry = read.passage
    return Act(
        at=moment(entry.wall_ns),
        received=moment(one.received_ns),
        site=entry.site,
        lane=entry.lane,
        outcome=entry.outcome.value,
        reasons=tuple(reason.value for reason in entry.reasons),
        device=one.device,
        journal=one.journal.hex(),
        sequence=one.sequence,
        alerts=tuple(alert.value for alert in entry.alerts),
        note=entry.note,
        officer=entry.officer,
        about=entry.about,
        person=None if entry.person is None else f"{entry.person:016x}",
        on_record=None if entry.person is None else on_record.get(entry.person),
        sealed=read.sealed,
        event=entry.event.value,
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    joined: Iterable[str] = value if isinstance(value, tuple) else (str(value),)
    return ", ".join(joined)


_PLACE: Mapping[str, Callable[[Act], str]] = {
    "when": lambda act: short(act.at),
    "site": lambda act: act.site,
    "lane": lambda act: act.lane,
}
_ENTRY: Mapping[str, Callable[[Act], str]] = {
    "entry": lambda act: f"{act.device} {act.sequence}",
}
_OFFICER: Mapping[str, Callable[[Act], str]] = {
    "officer": lambda act: "sealed" if act.sealed else _text(act.officer),
    "about": lambda act: _text(act.about),
}

corrections = _listing(
    "corrections",
    MarkKind.CORRECTION,
    "List what officers ask to have corrected, the last received first.",
    {**_PLACE, "to correct": lambda act: act.note, **_OFFICER, **_ENTRY},
)
overrides = _listing(
    "overrides",
    MarkKind.OVERRIDE,
    "List what officers decided otherwise than the gate, the last received first.",
    {
        **_PLACE,
        "decided": lambda act: act.outcome,
        "why": lambda act: act.note,
        **_OFFICER,
        **_ENTRY,
    },
)
alerts = _listing(
    "alerts",
    MarkKind.ALERT,
    "List what officers were told silently, and gates that were forced, opened or stopped, the "
    "last received first.",
    {
        **_PLACE,
        "alert": lambda act: _text(act.alerts),
        "answer": lambda act: act.outcome if act.event == Event.SCAN.value else act.note,
        **_ENTRY,
    },
)
