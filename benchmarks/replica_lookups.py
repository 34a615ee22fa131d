"""Look-ups in memory: ours, whole and in parts, and the peers', for the same people in turn."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date

import msgspec

from admission.credential import Credential, Holder
from admission.identity import Identifier, person_keyer
from admission.standing import Lookup, Standing
from benchmarks.child import anonymous_bytes
from benchmarks.errors import BenchmarkError
from benchmarks.interleaved import Contender, Timed, take_turns
from benchmarks.replica_peers import Find, build_dict, open_lmdb, open_sqlite
from benchmarks.replica_stage import HASH_KEY, HEAD, NOW, Stage, card
from cache.replica.book import ReplicaBook
from cache.replica.names import PERSONS
from cache.replica.table import Table

ROUNDS = 5
_HOLDER = Holder("NGUYEN VAN A", date(1980, 1, 18))


class Peers(msgspec.Struct, frozen=True):
    """Which peers take part. A dict of many people does not fit everywhere."""

    files: bool
    in_memory: bool


def look_up(
    stage: Stage,
    table: Table,
    peers: Peers,
    *,
    removed: frozenset[int],
    progress: Callable[[float], None],
) -> tuple[Timed, float | None]:
    """Return what each look-up costs, and the dict's bytes a person.

    :param table: with an overlay; its base alone is asked too.
    :param removed: keys of people whom the overlay removes: nobody asks for them.
    :param progress: called with the share that is done.
    :raises BenchmarkError: if a store does not find somebody, or answers otherwise than the rest.
    """
    pairs = zip(stage.known, stage.known_keys, strict=True)
    asked = [(who, key) for who, key in pairs if key not in removed]
    keys = [key for _, key in asked]
    with contextlib.ExitStack() as opened:
        stores: dict[str, Find] = {
            "record": table.segment.find,
            "overlaid_record": table.find,
        }
        if peers.files:
            stores["sqlite"] = opened.enter_context(open_sqlite(stage.folder))
            stores["sqlite_mapped"] = opened.enter_context(open_sqlite(stage.folder, mapped=True))
            stores["sqlite_held"] = opened.enter_context(
                open_sqlite(stage.folder, mapped=True, held=True)
            )
            stores["lmdb"] = opened.enter_context(open_lmdb(stage.folder))
        dict_bytes = None
        if peers.in_memory:
            stores["dict"], dict_bytes = _dict(stage)
        _agree(stores, keys)
        contenders: dict[str, Contender] = {name: (find, keys) for name, find in stores.items()}
        contenders["row"] = (table.segment.locate, keys)
        contenders |= _whole(table, [who for who, _ in asked], stage.strangers)
        return take_turns(contenders, rounds=ROUNDS, progress=progress), dict_bytes


def _dict(stage: Stage) -> tuple[Find, float]:
    before = anonymous_bytes()
    everybody = build_dict(stage.chunks(lambda share: None))
    return everybody.get, (anonymous_bytes() - before) / stage.people


def _agree(stores: dict[str, Find], keys: list[int]) -> None:
    """Ask each store for the same people. What has changed since the base only the overlay says."""
    for name, find in stores.items():
        for key in keys[:1_000]:
            record = find(key)
            if record is None or (name != "overlaid_record" and record != stores["record"](key)):
                msg = f"{name} does not answer for {key:016x} as the others do"
                raise BenchmarkError(msg)


def _whole(
    table: Table, known: list[Identifier], strangers: list[Identifier]
) -> dict[str, Contender]:
    """Return what the book is asked: the number on a code in, the person's standing out."""
    book = ReplicaBook(HASH_KEY)
    book.swap({PERSONS: table}, HEAD)
    standing_of = book.standing_of

    def ask(shown: Credential) -> Standing:
        return standing_of(shown, NOW)

    hits, misses = [card(who) for who in known], [card(who) for who in strangers]
    for credentials, expected in ((hits, Lookup.FOUND), (misses, Lookup.NOT_FOUND)):
        if any(ask(shown).lookup is not expected for shown in credentials[:1_000]):
            msg = f"the book does not answer {expected}"
            raise BenchmarkError(msg)
    return {
        "hit": (ask, hits),
        "named_hit": (ask, [card(who, _HOLDER) for who in known]),
        "miss": (ask, misses),
        "hash": (person_keyer(HASH_KEY), known),
    }
