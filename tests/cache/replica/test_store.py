"""What a gate finds at boot: the newest sound release, whatever else lies in its directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cache.errors import DamagedPage, HeadError, StoreError
from cache.replica.download import File
from cache.replica.generation import Generation
from cache.replica.names import PERSONS
from cache.replica.ratchet import Ratchet
from cache.replica.segment import Segment
from cache.replica.source import FileKind
from tests.cache.replica.releases import (
    STRANGER,
    TRUSTED,
    PinnedKeys,
    Release,
    a_store,
    deliver,
    facts_of,
    key_of,
)


@pytest.fixture
def old(tmp_path: Path) -> Release:
    return Release(tmp_path, 200)


@pytest.fixture
def new(tmp_path: Path) -> Release:
    return Release(tmp_path, 300)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def delivered(state: Path, *releases: Release) -> None:
    store = a_store(state)
    store.open()
    for sequence, release in enumerate(releases, start=1):
        deliver(store, release, sequence)


def persons_of(generation: Generation) -> Segment:
    segment = generation.segments[PERSONS]
    assert segment is not None
    return segment


def rooted(generation: Generation | None) -> bytes | None:
    return generation.contents.datasets[PERSONS].root if generation else None


def segment_file(state: Path, release: Release) -> Path:
    return state / "segments" / f"{release.dataset.name}.segment"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_nothing_is_there_at_first(state: Path) -> None:
    store = a_store(state)
    assert store.open() is None
    assert store.ratchet is None
    assert state.joinpath("segments").stat().st_mode & 0o777 == 0o700


def test_the_newest_release_serves_after_a_reboot(state: Path, old: Release, new: Release) -> None:
    delivered(state, old, new)
    store = a_store(state)
    generation = store.open()
    assert rooted(generation) == new.dataset.root
    assert generation is not None
    assert persons_of(generation).find(key_of(250)) is not None
    assert store.ratchet == Ratchet.of(new.signed(2))


def test_two_generations_are_kept_and_older_ones_removed(
    state: Path, old: Release, new: Release, tmp_path: Path
) -> None:
    newest = Release(tmp_path, 400)
    delivered(state, old, new, newest)
    names = {path.name for path in (state / "segments").iterdir()}
    expected = {f"{r.dataset.name}.{kind}" for r in (new, newest) for kind in ("segment", "leaves")}
    assert names == expected


@pytest.mark.parametrize("harm", ["missing", "truncated", "foreign", "header", "head", "no head"])
def test_the_release_before_serves_where_the_newest_is_harmed(
    state: Path, old: Release, new: Release, harm: str
) -> None:
    delivered(state, old, new)
    path = segment_file(state, new)
    if harm == "missing":
        path.unlink()
    elif harm == "truncated":
        os.truncate(path, 4096)
    elif harm == "foreign":
        path.write_bytes(old.bytes)
    elif harm == "header":
        flip(path, 20)
    elif harm == "head":
        flip(state / "CURRENT", 90)
    else:
        (state / "CURRENT").unlink()
    store = a_store(state)
    assert rooted(store.open()) == old.dataset.root
    assert store.ratchet is not None
    assert store.ratchet.sequence == 2, "the ratchet does not turn back with the data"
    assert bool(store.refused) == ("head" not in harm or harm == "header")


def test_nothing_sound_at_all_is_not_fatal(state: Path, old: Release) -> None:
    delivered(state, old)
    segment_file(state, old).write_bytes(b"")
    store = a_store(state)
    assert store.open() is None
    deliver(store, old, 2)
    assert rooted(a_store(state).open()) == old.dataset.root


def test_damage_at_rest_costs_only_its_own_leaf(state: Path, tmp_path: Path) -> None:
    large = Release(tmp_path, 14_000)
    delivered(state, large)
    flip(segment_file(state, large), 70_000)
    generation = a_store(state).open()
    assert generation is not None
    answers = {"right": 0, "none": 0}
    for number in range(14_000):
        try:
            record = persons_of(generation).find(key_of(number))
        except DamagedPage:
            answers["none"] += 1
        else:
            assert record is not None
            assert persons_of(generation).layout.unpack(record) == facts_of(number)
            answers["right"] += 1
    assert answers["none"] > 1_000
    assert answers["right"] > 8_000


def test_a_tampered_leaf_with_its_crc_put_right_is_not_believed(
    state: Path, tmp_path: Path
) -> None:
    # Whoever can write to the card can mend CRCs, but not the root that the hub signed.
    large, other = Release(tmp_path, 14_000), Release(tmp_path, 14_000, first=1)
    delivered(state, large)
    segment_file(state, large).write_bytes(other.bytes)
    store = a_store(state)
    assert store.open() is None
    assert store.refused


def test_leaf_hashes_that_do_not_lead_to_the_root_save_nothing(state: Path, tmp_path: Path) -> None:
    large = Release(tmp_path, 14_000)
    delivered(state, large)
    flip(segment_file(state, large), 70_000)
    flip(segment_file(state, large).with_suffix(".leaves"), 40)
    assert a_store(state).open() is None


@pytest.mark.parametrize("content", [b"", b"\xc1", b"x" * 100_000, b"\x94\x01\x05\xc4\x00\x00"])
def test_a_damaged_ratchet_falls_back_to_the_heads(
    state: Path, old: Release, content: bytes
) -> None:
    delivered(state, old)
    (state / "RATCHET").write_bytes(content)
    store = a_store(state)
    assert rooted(store.open()) == old.dataset.root
    assert store.ratchet == Ratchet.of(old.signed(1))


def test_how_far_the_gate_had_come_counts_again_once_the_keys_that_were_lost_are_known(
    state: Path, old: Release, new: Release
) -> None:
    delivered(state, old, new)
    trust = PinnedKeys(())
    store = a_store(state, trust=trust)
    assert store.open() is None
    assert store.ratchet is None
    trust.head_keys = TRUSTED
    assert store.ratchet == Ratchet.of(new.signed(2))


def test_strangers_and_leftovers_in_the_directory_are_harmless(state: Path, old: Release) -> None:
    delivered(state, old)
    (state / "segments" / "notes.txt").write_text("hello")
    part = state / "segments" / ("ab" * 32 + ".segment.part")
    part.write_bytes(b"half")
    (state / "segments" / ("ab" * 32 + ".segment.repair.tmp")).write_bytes(b"half")
    (state / "CURRENT.tmp").write_bytes(b"half")
    store = a_store(state)
    assert rooted(store.open()) == old.dataset.root
    assert part.exists(), "a download may go on"
    assert not list(state.rglob("*.tmp"))
    store.prune()
    assert not part.exists(), "no head asks for it"
    assert (state / "segments" / "notes.txt").exists()


def test_a_release_of_a_key_that_is_no_longer_trusted_does_not_serve(
    state: Path, old: Release
) -> None:
    delivered(state, old)
    assert a_store(state, keys=[STRANGER.public_key()]).open() is None


def test_a_release_under_another_hash_key_does_not_serve(state: Path, old: Release) -> None:
    # It would answer 'nobody of this name' to everybody.
    delivered(state, old)
    store = a_store(state, hash_key_id=bytes(8))
    assert store.open() is None
    with pytest.raises(HeadError, match="hash key"):
        store.usable(old.signed())


def test_a_release_over_the_sites_limit_is_refused_before_it_is_fetched(
    state: Path, old: Release
) -> None:
    store = a_store(state, limit_bytes=old.dataset.size - 1)
    with pytest.raises(HeadError, match="limit"):
        store.usable(old.signed())


def test_a_release_that_does_not_fit_the_disk_is_refused_before_it_is_fetched(
    state: Path, old: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = a_store(state)
    store.open()
    usage = type("Usage", (), {"free": old.dataset.size + 1000})
    monkeypatch.setattr("cache.replica.files.shutil.disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match="do not fit"):
        store.files.receive(File.of(FileKind.SEGMENT, old.dataset))


def test_a_replaced_file_does_not_disturb_who_reads_the_old_one(state: Path, old: Release) -> None:
    store = a_store(state)
    store.open()
    deliver(store, old, 1)
    generation = store.open()
    assert generation is not None
    deliver(store, old, 2)
    assert persons_of(generation).find(key_of(1)) is not None
