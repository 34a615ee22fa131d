"""Tampering: whatever somebody without the device's key does to the files is found."""

from __future__ import annotations

import copy
import functools
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.journal.anchor import intact_anchor, write_anchor
from cache.journal.pruning import Done, FilePruner, Limits
from cache.journal.retention import Keeping
from cache.journal.verification import FaultKind, Keys, Report, verify
from cache.journal.witness import stated_mark
from tests.cache.journal.anchored import DEVICE, DIRECTORY, HUB, Gate, a_gate
from tests.cache.journal.simulated_disk import SimulatedDisk
from tests.cache.journal.tampering import (
    PRUNED_WAYS,
    WAYS,
    Way,
    alter,
    delete_the_anchor,
    files_of,
    frames_of,
)

KEYS = Keys(DEVICE.public_key(), (HUB.public_key(),))
PLACES = st.integers(0, 10_000)
SEEDS = st.integers(0, 5)


def checked(disk: SimulatedDisk) -> Report:
    return verify(DIRECTORY, disk, keys=KEYS)


def kinds(disk: SimulatedDisk) -> set[FaultKind]:
    return {fault.kind for fault in checked(disk).faults}


@functools.cache
def written(seed: int) -> SimulatedDisk:
    disk = a_gate(seed).disk
    assert checked(disk).sound
    return disk


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@settings(max_examples=15)
@given(seed=SEEDS, place=PLACES)
def test_tampering_is_found(way: Way, seed: int, place: int) -> None:
    disk = copy.deepcopy(written(seed))
    way(disk, place)
    assert not checked(disk).sound


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way is not delete_the_anchor], ids=lambda way: way.__name__
)
@settings(max_examples=5)
@given(seed=SEEDS, place=PLACES)
def test_a_gate_that_starts_on_it_does_not_vouch_for_it(way: Way, seed: int, place: int) -> None:
    """A new anchor in the old one's place would be the tamperer's best friend."""
    disk = copy.deepcopy(written(seed))
    way(disk, place)
    gate = Gate(disk, Random(seed), journal=b"\x55" * 16)
    gate.write(3)
    gate.keeper.write()
    assert not checked(disk).sound


@settings(max_examples=15)
@given(seed=SEEDS, place=PLACES)
def test_an_alteration_is_found_by_the_hub_s_mark_where_the_anchor_is_not_known(
    seed: int, place: int
) -> None:
    """The anchor was signed anew by whoever has the device's key: the hub's mark still tells."""
    gate = a_gate(seed)
    held = gate.held
    alter(gate.disk, place % held)
    anchor = intact_anchor(gate.disk, DIRECTORY)
    assert anchor is not None
    last = frames_of(gate.disk, files_of(gate.disk)[-1])[-1]
    forged = type(anchor)(
        anchor.version,
        anchor.device,
        anchor.journal,
        last.sequence,
        last.chain_hash,
        0,
        anchor.pruned,
        anchor.mark,
    )
    write_anchor(gate.disk, DIRECTORY, forged, DEVICE)
    assert kinds(gate.disk) == {FaultKind.ALTERED}


def test_what_was_found_is_named() -> None:
    disk = a_gate().disk
    last = checked(disk).last_sequence
    newest = files_of(disk)[-1]
    disk.remove(newest.path)
    (fault,) = checked(disk).faults
    assert (fault.kind, fault.sequence) == (FaultKind.MISSING, newest.first_sequence)
    assert fault.lost == last - newest.first_sequence + 1


def test_a_front_beyond_what_was_pruned_is_missing() -> None:
    disk = a_gate().disk
    first, second, *_ = files_of(disk)
    disk.remove(first.path)
    (fault,) = checked(disk).faults
    assert (fault.kind, fault.sequence, fault.lost) == (
        FaultKind.MISSING,
        1,
        second.first_sequence - 1,
    )


def test_a_mark_that_the_hub_did_not_sign_is_named() -> None:
    disk = a_gate().disk
    stranger = Ed25519PrivateKey.from_private_bytes(b"\5" * 32).public_key()
    report = verify(DIRECTORY, disk, keys=Keys(DEVICE.public_key(), (stranger,)))
    assert [fault.kind for fault in report.faults] == [FaultKind.MARK]


@given(seed=SEEDS, later=st.integers(0, 12), cut=st.integers(0, 1_000))
@settings(max_examples=30)
def test_a_power_cut_is_no_tampering(seed: int, later: int, cut: int) -> None:
    """The anchor is older than the files, and the newest one's tail is torn."""
    gate = a_gate(seed)
    gate.write(later)
    newest = files_of(gate.disk)[-1].path
    data = gate.disk.content(newest)
    gate.disk.overwrite(newest, data + data[-200:][: cut % 200])
    assert checked(gate.disk).sound


def a_pruned_gate(seed: int) -> Gate:
    """Return a gate of whose older files only officers' acts and what followed on them are left."""
    gate = a_gate(seed)
    files = FilePruner(DIRECTORY, gate.keeper, Keeping(0, 10_000, 0), gate.medium)
    for _ in files.steps(Limits(stated_mark(gate.mark), 1 << 41), Done()):
        pass
    return gate


@functools.cache
def pruned(seed: int) -> SimulatedDisk:
    disk = a_pruned_gate(seed).disk
    report = checked(disk)
    assert report.sound
    assert report.pruned
    return disk


@pytest.mark.parametrize("way", PRUNED_WAYS, ids=lambda way: way.__name__)
@settings(max_examples=10)
@given(seed=SEEDS, place=PLACES)
def test_tampering_with_a_pruned_journal_is_found(way: Way, seed: int, place: int) -> None:
    disk = copy.deepcopy(pruned(seed))
    way(disk, place)
    assert not checked(disk).sound
