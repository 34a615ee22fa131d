"""Protects which head a gate follows: of several upstreams', under keys that come and go."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.instant import Instant
from cache.errors import HeadError, SourceError
from cache.replica.directory_source import DirectorySource
from cache.replica.head import Head, sign_head
from cache.replica.ratchet import Ratchet, pack_ratchet, unpack_ratchet
from cache.replica.source import FileKind, ReplicaSource, path_of
from cache.replica.status import Outcome
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import ISSUED_NS, SIGNER, STRANGER, MemorySource, Release


class Keyring:
    """What is trusted, as a test says; a refresh brings what it put in `coming`."""

    def __init__(self, *keys: Ed25519PublicKey) -> None:
        self.head_keys = keys
        self.former_keys: tuple[Ed25519PublicKey, ...] = ()
        self.version = 1
        self.listed = True
        self.coming: tuple[Ed25519PublicKey, ...] | None = None
        self.refreshed_from: list[ReplicaSource] = []
        self.failing = False

    def require(self, head: Head) -> None:
        if not self.listed or head.targets > self.version:
            raise HeadError("the hub's targets do not list it")

    async def refresh(self, source: ReplicaSource, now: Instant) -> bool:
        self.refreshed_from.append(source)
        if self.failing:
            raise SourceError("no metadata")
        if self.coming is None:
            return False
        self.former_keys, self.head_keys = self.head_keys, self.coming
        self.version, self.coming = self.version + 1, None
        return True


SIGNERS, STRANGERS = SIGNER.public_key(), STRANGER.public_key()


@pytest.fixture
def hub(old: Release, new: Release) -> MemorySource:
    return MemorySource(old, new)


@pytest.fixture
def folder(tmp_path: Path, new: Release) -> Path:
    """A mirror of the new release, as head 5."""
    mirror = tmp_path / "mirror"
    path = mirror / path_of(FileKind.SEGMENT, new.dataset.name)
    path.parent.mkdir(parents=True)
    path.write_bytes(new.bytes)
    (mirror / "head").write_bytes(new.envelope(5))
    return mirror


@pytest.fixture
def gate(tmp_path: Path, hub: MemorySource, folder: Path) -> Gate:
    return Gate(tmp_path, hub, DirectorySource(folder))


async def test_what_was_carried_here_counts_where_it_is_newer(
    gate: Gate, hub: MemorySource, old: Release
) -> None:
    hub.files.clear()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.knows(120)
    hub.envelope = old.envelope(6)
    hub.files = dict(old.files)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert not gate.knows(120), "the hub is ahead again"


@pytest.mark.parametrize("hub_says", ["nothing", "noise", "an older head"])
async def test_what_was_carried_here_counts_where_the_hubs_head_does_not(
    gate: Gate, hub: MemorySource, old: Release, hub_says: str
) -> None:
    hub.envelope = old.envelope(4)
    hub.files = dict(old.files)
    await Gate(gate.state.parent, hub).replicator.once()
    said = {"nothing": None, "noise": b"noise", "an older head": old.envelope(3)}
    hub.envelope = said[hub_says]
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.knows(120)


async def test_a_folder_with_nothing_new_does_not_stand_in_for_the_hub(
    gate: Gate, hub: MemorySource, folder: Path
) -> None:
    await gate.replicator.once()
    hub.envelope = None
    assert await gate.replicator.once() is Outcome.UNREACHABLE
    assert gate.replicator.status().last_error == "unplugged"
    shutil.rmtree(folder)
    assert await gate.replicator.once() is Outcome.UNREACHABLE
    assert gate.knows(120)


async def test_a_forged_head_in_a_folder_is_passed_over(
    gate: Gate, hub: MemorySource, old: Release, new: Release, folder: Path
) -> None:
    (folder / "head").write_bytes(sign_head(new.head(9), STRANGER))
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert not gate.knows(120)
    assert gate.replicator.status().sequence == 1


async def test_a_file_that_one_upstream_lacks_comes_from_another(
    gate: Gate, hub: MemorySource, new: Release
) -> None:
    hub.envelope = new.envelope(7)
    hub.files.clear()
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert hub.fetched == [new.dataset.name]
    assert gate.replicator.status().sequence == 7


async def test_an_unknown_key_has_the_trust_refreshed_once_and_judged_again(
    tmp_path: Path, hub: MemorySource, old: Release
) -> None:
    trust = Keyring()
    gate = Gate(tmp_path, hub, trust=trust)
    trust.coming = (SIGNERS,)
    trust.failing = True
    assert await gate.replicator.once() is Outcome.UNREACHABLE
    trust.failing = False
    assert await gate.replicator.once() is Outcome.ACTIVATED
    count = len(trust.refreshed_from)
    hub.envelope = sign_head(old.head(2), STRANGER)
    assert await gate.replicator.once() is Outcome.REFUSED
    assert len(trust.refreshed_from) == count + 1
    assert hub.fetched == [old.dataset.name]


async def test_a_head_asks_for_newer_targets_and_is_refused_where_these_do_not_list_it(
    tmp_path: Path, hub: MemorySource, old: Release, new: Release
) -> None:
    trust = Keyring(SIGNERS)
    gate = Gate(tmp_path, hub, trust=trust)
    await gate.replicator.once()
    hub.envelope = new.envelope(2, targets=2)
    assert await gate.replicator.once() is Outcome.REFUSED, "there are none"
    trust.coming, trust.listed = (SIGNERS,), False
    assert await gate.replicator.once() is Outcome.REFUSED, "a stolen head key names no base"
    assert hub.fetched == [old.dataset.name]
    assert gate.knows(99)
    trust.listed = True
    assert await gate.replicator.once() is Outcome.ACTIVATED


async def test_a_head_that_brings_about_the_end_of_its_own_key_does_not_count(
    tmp_path: Path, hub: MemorySource, new: Release
) -> None:
    trust = Keyring(SIGNERS)
    gate = Gate(tmp_path, hub, trust=trust)
    await gate.replicator.once()
    hub.envelope = new.envelope(2, targets=2)
    trust.coming = (STRANGERS,)
    assert await gate.replicator.once() is Outcome.REFUSED
    assert not gate.knows(120)
    assert [head.sequence for head in gate.heads] == [1], "nor does it say what time it is"


async def test_what_was_carried_here_in_part_does_not_keep_the_hub_away(
    gate: Gate, hub: MemorySource, old: Release, folder: Path
) -> None:
    hub.files = dict(old.files)
    shutil.rmtree(folder / "segments")
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.replicator.status().sequence == 1
    hub.envelope = None
    assert await gate.replicator.once() is Outcome.UNREACHABLE


async def test_the_trust_is_looked_after_every_hour_though_no_head_asks_for_it(
    tmp_path: Path, hub: MemorySource
) -> None:
    trust = Keyring(SIGNERS)
    gate = Gate(tmp_path, hub, trust=trust)
    trust.failing = True
    assert await gate.replicator.once() is Outcome.ACTIVATED, "heads go on"
    assert gate.replicator.status().trust_error == "no metadata"
    await gate.replicator.once()
    assert len(trust.refreshed_from) == 1
    trust.failing = False
    gate.clock.advance(60)
    await gate.replicator.once()
    assert gate.replicator.status().trust_error == ""
    gate.clock.advance(3_599)
    await gate.replicator.once()
    assert len(trust.refreshed_from) == 2
    gate.clock.advance(1)
    await gate.replicator.once()
    assert len(trust.refreshed_from) == 3


@pytest.mark.parametrize("reboot", [False, True])
async def test_a_thief_who_signed_the_last_of_all_sequences_is_gone_with_the_key(
    tmp_path: Path, hub: MemorySource, old: Release, new: Release, reboot: bool
) -> None:
    trust = Keyring(SIGNERS)
    gate = Gate(tmp_path, hub, trust=trust)
    hub.envelope = old.envelope((1 << 63) - 1, issued_ns=ISSUED_NS)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    hub.envelope = sign_head(new.head(2), STRANGER)
    trust.coming = (STRANGERS,)
    if reboot:
        gate = Gate(tmp_path, hub, trust=trust)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.knows(120)
    assert gate.heads[-1].sequence == 2, "it says what time it is at least, as any head"
    hub.envelope = sign_head(old.head(1), STRANGER)
    assert await gate.replicator.once() is Outcome.REFUSED, "what the new key signed counts again"
    rebooted = Gate(tmp_path, hub, trust=trust)
    await rebooted.replicator.open()
    assert rebooted.replicator.status().sequence == 2
    assert await rebooted.replicator.once() is Outcome.REFUSED


async def test_a_power_cut_between_new_keys_and_their_first_head_costs_no_release(
    tmp_path: Path, hub: MemorySource, old: Release
) -> None:
    trust = Keyring(SIGNERS)
    await Gate(tmp_path, hub, trust=trust).replicator.once()
    trust.coming = (STRANGERS,)
    await trust.refresh(hub, Gate(tmp_path, hub).clock.now())
    hub.envelope = None
    rebooted = Gate(tmp_path, hub, trust=trust)
    assert await rebooted.replicator.open()
    assert rebooted.knows(99)


def test_the_mark_comes_back_as_it_was_written_or_not_at_all(old: Release) -> None:
    mark = Ratchet.of(old.signed(7))
    data = pack_ratchet(mark)
    assert unpack_ratchet(data) == mark
    for at in range(len(data)):
        for flip in (1, 128):
            assert unpack_ratchet(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]) is None
        assert unpack_ratchet(data[:at]) is None
