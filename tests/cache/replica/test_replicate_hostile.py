"""Nothing that a hostile upstream can send is served, or stops the loop."""

from __future__ import annotations

import pytest

from cache.replica.head import Dataset, sign_head
from cache.replica.names import PERSONS
from cache.replica.status import Outcome
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import ISSUED_NS, STRANGER, MemorySource, Release


@pytest.fixture
def source(old: Release, new: Release) -> MemorySource:
    return MemorySource(old, new)


def hostile_heads(new: Release) -> dict[str, bytes]:
    same_sequence = new.envelope(1)
    larger = Dataset(new.dataset.root, 1 << 50, new.dataset.rows, 1)
    flipped = bytearray(new.envelope(2))
    flipped[60] ^= 1
    return {
        "same sequence": same_sequence,
        "another key": sign_head(new.head(2), STRANGER),
        "flipped": bytes(flipped),
        "expired": new.envelope(2, expires_ns=ISSUED_NS + 30_000_000_000),
        "no persons": new.envelope(2, datasets={"roster/1": new.dataset}),
        "another hash key": new.envelope(2, hash_key_id=bytes(8)),
        "a petabyte": new.envelope(2, datasets={PERSONS: larger}),
        "unknown layout": new.envelope(
            2, datasets={PERSONS: Dataset(new.dataset.root, new.dataset.size, 130, 9)}
        ),
        "endless": bytes(1 << 20),
        "empty": b"",
    }


@pytest.mark.parametrize(
    "name",
    [
        "same sequence",
        "another key",
        "flipped",
        "expired",
        "no persons",
        "another hash key",
        "a petabyte",
        "unknown layout",
        "endless",
        "empty",
    ],
)
async def test_a_hostile_head_changes_nothing(
    gate: Gate, source: MemorySource, new: Release, name: str
) -> None:
    await gate.replicator.once()
    source.envelope = hostile_heads(new)[name]
    assert await gate.replicator.once() is Outcome.REFUSED
    assert source.fetched == [source.fetched[0]], "nothing is fetched on its word"
    status = gate.replicator.status()
    assert status.sequence == 1
    assert status.last_error
    assert not gate.knows(120)
    source.envelope = new.envelope(2)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.replicator.status().last_error == ""


@pytest.mark.parametrize(
    "lie", ["cut", "longer", "flipped", "another", "impostor", "missing", "rows"]
)
async def test_a_segment_that_is_not_the_signed_one_never_answers(
    gate: Gate, source: MemorySource, old: Release, new: Release, lie: str
) -> None:
    await gate.replicator.once()
    name = new.dataset.name
    source.envelope = new.envelope(2)
    whole = source.files[name]
    match lie:
        case "cut":
            source.files[name] = whole[:-4096]
        case "longer":
            source.files[name] = whole + b"x" * 5_000_000
        case "flipped":
            source.files[name] = whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]
        case "another":
            source.files[name] = old.bytes.ljust(len(whole), b"\0")[: len(whole)]
        case "impostor":  # a sound segment of as many people, but not these
            source.files[name] = Release(gate.state.parent, 130, first=5_000).bytes
            assert len(source.files[name]) == len(whole)
        case "missing":
            del source.files[name]
        case "rows":
            lied = Dataset(new.dataset.root, new.dataset.size, 129, 1)
            source.envelope = new.envelope(2, datasets={PERSONS: lied})
    outcome = await gate.replicator.once()
    assert outcome in {Outcome.REFUSED, Outcome.UNREACHABLE}
    assert gate.knows(99)
    assert not gate.knows(120)
    kept = [path.stat().st_size for path in gate.state.rglob("*.part")]
    assert bool(kept) == (lie == "longer"), "what is not the signed file is not gone on with"
    assert all(size <= new.dataset.size for size in kept)
    source.files[name] = whole
    source.envelope = new.envelope(3)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert [head.sequence for head in gate.heads][:2] == [1, 2]
