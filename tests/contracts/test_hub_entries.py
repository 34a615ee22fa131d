"""What every engine behind the hub's store must keep to with entries in days, and flags."""

from __future__ import annotations

from hub.store.entries import (
    MAX_JOURNALS_OF_A_DEVICE,
    Added,
    Day,
    Decoded,
    EntryRecord,
    Flag,
    FlagKind,
    JournalKey,
    Offer,
    Watermark,
)
from hub.store.examined import (
    Conflict,
    HeldEntry,
    HeldSpan,
    JournalStanding,
    PlacedEntry,
    RaisedFlag,
)
from hub.store.marks import MarkKind
from hub.store.port import Store

KEY = JournalKey("gate-1", b"\x01" * 16)
OTHER = JournalKey("gate-2", b"\x02" * 16)
TODAY = 18_890
DAY_NS = 86_400 * 10**9
NOON = TODAY * DAY_NS + DAY_NS // 2


def record(
    sequence: int,
    day: int = TODAY,
    *,
    person: int | None = 7,
    marks: tuple[MarkKind, ...] = (),
    packed: bytes | None = None,
    received_ns: int = NOON,
    session: bool = False,
) -> EntryRecord:
    decoded = Decoded("site-1", day * DAY_NS + sequence, person, "admit", marks)
    data = b"entry%d" % sequence if packed is None else packed
    chain_hash = sequence.to_bytes(32, "big")
    return EntryRecord(sequence, chain_hash, data, decoded, received_ns, day, session)


def held(one: EntryRecord) -> HeldEntry:
    return HeldEntry(one.sequence, one.chain_hash, one.packed, one.received_ns, one.decoded)


async def add(store: Store, *records: EntryRecord, key: JournalKey = KEY) -> Added:
    (added,) = await store.add_entries([Offer(key, records)])
    return added


async def test_offers_of_many_journals_are_kept_together(store: Store) -> None:
    first, second, again = await store.add_entries(
        [
            Offer(KEY, [record(1), record(2)]),
            Offer(OTHER, [record(1)]),
            Offer(KEY, [record(2), record(3)]),
        ]
    )
    assert (first.fresh, second.fresh, again.fresh) == (2, 1, 1)
    assert again.watermark == Watermark(3, record(3).chain_hash)
    assert await store.watermark(KEY) == again.watermark
    assert await store.watermark(JournalKey("gate-1", OTHER.journal)) == Watermark()


async def test_what_lies_beside_an_offer_is_told(store: Store) -> None:
    assert (await add(store, record(5))).around == {}
    assert set((await add(store, record(3), record(4))).around) == {5}
    assert set((await add(store, record(6), record(7))).around) == {5}
    added = await add(store, record(5))
    assert {at: one.packed for at, one in added.around.items()} == {4: b"entry4", 6: b"entry6"}


async def test_entries_lie_in_their_days_and_are_found_across_them(store: Store) -> None:
    records = [record(1, TODAY - 1), record(2, TODAY), record(3, TODAY - 1), record(4, TODAY)]
    assert (await add(store, *records)).watermark.through == 4
    days = [(day.day, day.entries) for day in await store.days()]
    assert days == [(TODAY - 1, 2), (TODAY, 2)]
    assert await store.entries(KEY, 0, limit=10) == [held(one) for one in records]
    assert await store.entries(KEY, 2, limit=1) == [held(records[2])]
    assert await store.entries(OTHER, 0, limit=10) == []
    spans = [HeldSpan(s, s, one.day) for s, one in enumerate(records, start=1)]
    assert await store.spans(KEY, 0, limit=9) == spans
    await add(store, record(5), record(6))
    assert await store.spans(KEY, 5, limit=9) == [HeldSpan(4, 6, TODAY)]
    assert await store.spans(KEY, 1, limit=1) == spans[1:2]
    assert await store.spans(OTHER, 0, limit=9) == []
    assert set(await store.held(KEY, (1, 2, 9))) == {1, 2}


async def test_an_entry_that_comes_again_on_another_day_is_the_same(store: Store) -> None:
    await add(store, record(1, TODAY - 1))
    added = await add(store, record(1, TODAY), record(2, TODAY))
    assert (added.fresh, added.differing, added.watermark.through) == (1, {}, 2)
    assert (await store.count("gate-1")).entries == 2
    forged = await add(store, record(1, TODAY, packed=b"forged"))
    assert set(forged.differing) == {1}
    assert await store.conflicts(KEY, 0, limit=9) == [
        Conflict(1, record(1).chain_hash, b"forged", NOON)
    ]
    assert await store.conflicts(KEY, 1, limit=9) == []


async def test_a_day_goes_whole_and_nothing_of_it_comes_back(store: Store) -> None:
    old = [record(1, TODAY - 9, marks=(MarkKind.ALERT,), session=True), record(2, TODAY - 9)]
    await add(store, *old, record(3, TODAY, marks=(MarkKind.ALERT,)))
    await add(store, record(2, TODAY, packed=b"forged"))
    flags = [Flag(1, FlagKind.MISSING), Flag(2, FlagKind.CONFLICT), Flag(3, FlagKind.MISSING)]
    await store.raise_flags(KEY, flags, NOON)
    dropped = await store.drop_days(TODAY)
    assert [(day.day, day.entries) for day in dropped] == [(TODAY - 9, 2)]
    assert await store.drop_days(TODAY) == []
    assert [day.day for day in await store.days()] == [TODAY]
    assert [one.sequence for one in await store.entries(KEY, 0, limit=9)] == [3]
    assert await store.spans(KEY, 0, limit=9) == [HeldSpan(3, 3, TODAY)]
    assert [m.sequence for m in await store.marked(MarkKind.ALERT, limit=9)] == [3]
    assert await store.flags(KEY) == [Flag(3, FlagKind.MISSING)]
    assert await store.conflicts(KEY, 0, limit=9) == []
    assert await store.session_before(KEY, 3) == (1, b"entry1"), "later entries need it"
    assert await store.watermark(KEY) == Watermark(3, record(3).chain_hash)
    again = await add(store, *old, record(3), record(4))
    assert (again.fresh, again.differing, again.watermark.through) == (1, {}, 4)
    assert [one.sequence for one in await store.entries(KEY, 0, limit=9)] == [3, 4]
    assert [day.day for day in await store.days()] == [TODAY]


async def test_a_session_is_found_before_its_entries(store: Store) -> None:
    await add(store, record(1, session=True), record(2), record(3, session=True), record(4))
    assert await store.session_before(KEY, 1) is None
    assert await store.session_before(KEY, 2) == (1, b"entry1")
    assert await store.session_before(KEY, 3) == (1, b"entry1")
    assert await store.session_before(KEY, 9) == (3, b"entry3")
    assert await store.session_before(OTHER, 9) is None


async def test_a_person_is_found_in_a_window_of_time(store: Store) -> None:
    big = (1 << 64) - 1
    await add(store, record(1, person=big), record(2, person=8), record(3, TODAY + 1, person=big))
    await add(store, record(1, person=None), record(2, person=big), key=OTHER)
    start = TODAY * DAY_NS
    assert await store.passages_of({big}, start, start + DAY_NS, limit=9) == [
        PlacedEntry(KEY, 1, b"entry1", start + 1, big),
        PlacedEntry(OTHER, 2, b"entry2", start + 2, big),
    ]
    everybody = await store.passages_of({big, 8}, start + 2, start + 2 * DAY_NS, limit=2)
    assert [(one.key, one.sequence) for one in everybody] == [(KEY, 2), (OTHER, 2)]
    assert await store.passages_of({9}, 0, start + 9 * DAY_NS, limit=9) == []


async def test_journals_stand_where_they_were_last_heard_of(store: Store) -> None:
    await store.add_entries([Offer(KEY, [record(1, received_ns=NOON)], -5)])
    await store.add_entries([Offer(KEY, [record(3, received_ns=NOON + 9)], 6)])
    await store.add_entries([Offer(OTHER, [record(1, received_ns=NOON + 1)])])
    first = JournalStanding(KEY, 1, record(1).chain_hash, NOON, NOON + 9, 6)
    second = JournalStanding(OTHER, 1, record(1).chain_hash, NOON + 1, NOON + 1, None)
    assert await store.journals() == [first, second]
    assert await store.journals(since_ns=NOON + 2) == [first]


async def test_flags_are_found_over_all_journals_and_can_be_lowered(store: Store) -> None:
    await add(store, record(1))
    await add(store, record(1), key=OTHER)
    old, new = Flag(1, FlagKind.MISSING, "a"), Flag(1, FlagKind.SUSPECT_CLOCK)
    await store.raise_flags(KEY, [old], 5)
    await store.raise_flags(OTHER, [new], 6)
    raised = [RaisedFlag(OTHER, new, 6), RaisedFlag(KEY, old, 5)]
    assert await store.all_flags(limit=9) == raised
    assert await store.all_flags(limit=1) == raised[:1]
    assert await store.all_flags(since_ns=6, limit=9) == raised[:1]
    assert await store.all_flags(kind=FlagKind.MISSING, limit=9) == raised[1:]
    assert await store.all_flags(device="gate-2", limit=9) == raised[:1]
    assert await store.all_flags(kind=FlagKind.MISSING, device="gate-2", limit=9) == []
    assert await store.flag_counts() == {FlagKind.MISSING: 1, FlagKind.SUSPECT_CLOCK: 1}
    assert await store.flags_at(KEY, (1, 2)) == [old]
    await store.lower_flags(KEY, [(1, FlagKind.MISSING), (2, FlagKind.MISSING)])
    assert await store.all_flags(limit=9) == raised[:1]


async def test_columns_are_filled_when_an_entry_is_read_again(store: Store) -> None:
    raw = EntryRecord(1, bytes(32), b"raw", None, NOON, TODAY)
    await add(store, raw)
    columns = Decoded("site-2", NOON, 99, "refuse", (MarkKind.ALERT,))
    await store.redecode(KEY, [(1, columns), (5, columns)])
    (entry,) = await store.entries(KEY, 0, limit=9)
    assert entry.decoded == Decoded("site-2", NOON, 99, "refuse")
    assert [one.sequence for one in await store.passages_of({99}, NOON, NOON + 1, limit=9)] == [1]
    assert [m.sequence for m in await store.marked(MarkKind.ALERT, limit=9)] == [1]


async def test_a_day_says_what_it_takes(store: Store) -> None:
    assert await store.days() == []
    await add(store, record(1))
    (day,) = await store.days()
    assert isinstance(day, Day)
    assert day.bytes >= 0


async def test_what_lies_in_a_day_is_counted_by_journal(store: Store) -> None:
    await add(store, record(1), record(2), record(3, TODAY + 1))
    await add(store, record(1), key=OTHER)
    assert await store.lying(TODAY) == {KEY: 2, OTHER: 1}
    assert await store.lying(TODAY + 1) == {KEY: 1}
    assert await store.lying(TODAY - 1) == {}


async def test_no_device_begins_journals_without_end(store: Store) -> None:
    numbers = range(MAX_JOURNALS_OF_A_DEVICE)
    keys = [JournalKey("gate-1", number.to_bytes(16, "big")) for number in numbers]
    await store.add_entries([Offer(key, [record(1)]) for key in keys])
    offers = [Offer(key, [record(2)]) for key in (KEY, OTHER, keys[0])]
    one_more, of_another, known = await store.add_entries(offers)
    assert one_more == Added(0, {}, Watermark(), {}, refused=True)
    assert (of_another.fresh, known.fresh) == (1, 1), "nobody else is held up"
    assert len(await store.journals()) == MAX_JOURNALS_OF_A_DEVICE + 1


async def test_flags_are_raised_with_the_entries_that_they_are_about(store: Store) -> None:
    def remarks(added: Added) -> list[Flag]:
        return [Flag(sequence, FlagKind.CONFLICT) for sequence in added.differing]

    await store.add_entries([Offer(KEY, [record(1)], remarks=remarks)])
    assert await store.flags(KEY) == []
    await store.add_entries([Offer(KEY, [record(1, packed=b"other")], remarks=remarks)])
    assert await store.flags(KEY) == [Flag(1, FlagKind.CONFLICT)]
