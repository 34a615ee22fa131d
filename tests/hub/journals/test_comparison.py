"""Protects the investigator's answer: where two copies differ, and which was meddled with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cache.journal.anchor import ANCHOR_NAME, Pruned, make_anchor, sign_anchor
from cache.journal.frame import Header, pack_header
from hub.errors import DataFolderError
from hub.journals import comparison as comparison_module
from hub.journals.comparison import Comparison, compare
from hub.journals.folder import journals_in
from hub.journals.lists import Listed
from hub.store.examined import Conflict, HeldEntry, HeldSpan, JournalStanding
from tests.hub.examined import ExaminedMemory, Gate
from tests.hub.journals.folders import frames, path_of, pruned, rechained, write_folder

COUNT = 12
DEVICE = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)


@pytest.fixture
def gate() -> Gate:
    gate = Gate("gate-a", journal=bytes(range(16)))
    for number in range(COUNT):
        gate.admits(None, number)
    return gate


def compared(
    gate: Gate,
    folder: Path,
    *,
    held: Iterable[HeldEntry] | None = None,
    listed: dict[int, list[Listed]] | None = None,
    spans: list[HeldSpan] | None = None,
    through: int = COUNT,
    offered: Sequence[Conflict] = (),
    device_key: bytes = b"",
) -> Comparison:
    async def work() -> Comparison:
        store = ExaminedMemory()
        store.take(gate.key, gate.entries[:through] if held is None else held)
        store.noted[gate.key] = spans if spans is not None else [HeldSpan(1, through, 18_890)]
        store.offered[gate.key] = list(offered)
        standing = JournalStanding(gate.key, through, bytes(32), 0, 0, None)
        (there,) = journals_in(folder)
        return await compare(store, standing, there, listed or {}, device_key=device_key)

    return asyncio.run(work())


def told(result: Comparison) -> list[tuple[str, int, int]]:
    return [(one.kind.value, one.first, one.last) for one in result.findings]


@pytest.fixture(params=[2, 1000], autouse=True)
def _portions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison_module, "CHUNK", request.param)


def test_the_same_journal_is_the_same(gate: Gate, tmp_path: Path) -> None:
    write_folder(tmp_path, gate.key.journal, gate.entries)
    result = compared(gate, tmp_path, through=10)
    assert (told(result), result.same, result.unsent) == ([], 10, 2)


def test_what_was_altered_in_the_folder_breaks_its_chain_there(gate: Gate, tmp_path: Path) -> None:
    there = list(gate.entries)
    there[4] = msgspec.structs.replace(there[4], packed=there[3].packed)
    write_folder(tmp_path, gate.key.journal, there)
    result = compared(gate, tmp_path)
    assert told(result) == [("different", 5, 5)]
    assert result.findings[0].detail.endswith("the folder was altered")


def test_what_was_altered_at_the_hub_breaks_the_hubs_chain_there(
    gate: Gate, tmp_path: Path
) -> None:
    write_folder(tmp_path, gate.key.journal, gate.entries)
    here = list(gate.entries)
    here[4] = msgspec.structs.replace(here[4], packed=here[3].packed)
    result = compared(gate, tmp_path, held=here)
    assert told(result) == [("different", 5, 5)]
    assert result.findings[0].detail.endswith("the hub's copy was altered")


def test_what_was_removed_is_told_from_what_was_pruned(gate: Gate, tmp_path: Path) -> None:
    entries = gate.entries
    header = pack_header(Header(gate.key.journal, 1, b"\0" * 32))
    data = header + pruned(entries[2]) + frames(entries[3:5]) + frames(entries[8:])
    path_of(tmp_path, 1).write_bytes(data)
    result = compared(gate, tmp_path)
    assert (result.pruned, result.unreadable, result.same) == (3, 3, 6)
    assert told(result) == [("not_in_folder", 6, 8)]
    path_of(tmp_path, 1).write_bytes(header + frames(entries[:3]))
    path_of(tmp_path, 9).write_bytes(
        pack_header(Header(gate.key.journal, 9, entries[7].chain_hash)) + frames(entries[8:10])
    )
    result = compared(gate, tmp_path)
    assert told(result) == [("not_in_folder", 4, 8), ("not_in_folder", 11, 12)]


def test_files_before_the_first_are_pruned_if_the_gate_signed_so(
    gate: Gate, tmp_path: Path
) -> None:
    write_folder(tmp_path, gate.key.journal, gate.entries)
    path_of(tmp_path, 1).unlink()
    result = compared(gate, tmp_path)
    assert told(result) == [("not_in_folder", 1, 6)]
    assert result.findings[0].detail == "before the folder's first file"
    kept = Pruned(6, gate.entries[5].chain_hash, bytes(32), bytes(32))
    head = (COUNT, gate.entries[-1].chain_hash)
    anchor = sign_anchor(make_anchor(DEVICE, gate.key.journal, head, kept), DEVICE)
    (tmp_path / ANCHOR_NAME).write_bytes(anchor)
    assert told(compared(gate, tmp_path)) == [("not_in_folder", 1, 6)]
    key = DEVICE.public_key().public_bytes_raw()
    result = compared(gate, tmp_path, device_key=key)
    assert (told(result), result.pruned) == ([], 6)


def test_what_the_hub_lost_is_told_from_what_it_dropped(gate: Gate, tmp_path: Path) -> None:
    write_folder(tmp_path, gate.key.journal, gate.entries)
    held = gate.entries[4:7] + gate.entries[9:]
    result = compared(gate, tmp_path, held=held, spans=[HeldSpan(5, COUNT, 18_890)])
    assert told(result) == [("not_at_hub", 8, 9)]
    assert result.dropped == 4


@pytest.mark.parametrize("anew_at_hub", [True, False])
def test_of_two_histories_what_was_signed_in_time_says_which_is_true(
    gate: Gate, tmp_path: Path, *, anew_at_hub: bool
) -> None:
    packed = [entry.packed for entry in gate.entries if entry.sequence != 8]
    anew = rechained(gate.key.journal, [*packed, packed[0]])
    write_folder(tmp_path, gate.key.journal, gate.entries if anew_at_hub else anew)
    held = anew if anew_at_hub else gate.entries
    result = compared(gate, tmp_path, held=held)
    assert [(one.first, one.last, one.detail) for one in result.findings] == [
        (8, 12, "both chains hold: one was written anew from here on")
    ]
    listed = {10: [Listed("the list of 2021-09-20", gate.entries[9].chain_hash)]}
    result = compared(gate, tmp_path, held=held, listed=listed)
    side = "the folder's: the hub's copy" if anew_at_hub else "the hub's: the folder"
    assert result.findings[-1].detail == f"the list of 2021-09-20 has {side} was written anew"
    assert (result.findings[-1].first, result.findings[-1].last) == (10, 12)
    if anew_at_hub:
        head = (9, gate.entries[8].chain_hash)
        kept = Pruned(0, bytes(32), bytes(32), bytes(32))
        anchor = sign_anchor(make_anchor(DEVICE, gate.key.journal, head, kept), DEVICE)
        (tmp_path / ANCHOR_NAME).write_bytes(anchor)
        key = DEVICE.public_key().public_bytes_raw()
        result = compared(gate, tmp_path, held=held, device_key=key)
        assert result.findings[-1].detail.startswith("the gate's anchor has the folder's")


def test_what_was_offered_second_is_known_again(gate: Gate, tmp_path: Path) -> None:
    there = list(gate.entries)
    there[4] = msgspec.structs.replace(there[4], packed=there[3].packed)
    write_folder(tmp_path, gate.key.journal, there)
    offered = Conflict(5, there[4].chain_hash, there[4].packed, 7)
    result = compared(gate, tmp_path, offered=[offered])
    assert "kept it as a conflict" in result.findings[0].detail


def test_an_entry_that_was_slipped_in_is_named(gate: Gate, tmp_path: Path) -> None:
    entries = gate.entries
    data = pack_header(Header(gate.key.journal, 1, b"\0" * 32))
    data += frames(entries[:5]) + frames(entries[1:2]) + frames(entries[5:])
    path_of(tmp_path, 1).write_bytes(data)
    result = compared(gate, tmp_path)
    assert told(result) == [("inserted_in_folder", 2, 2)]
    assert result.same == COUNT


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="no journal is in"):
        journals_in(tmp_path)
    with pytest.raises(DataFolderError, match="cannot be read"):
        journals_in(tmp_path / "nothing")


def test_retired_journals_lie_in_the_living_ones_folder(gate: Gate, tmp_path: Path) -> None:
    write_folder(tmp_path, gate.key.journal, gate.entries)
    old = bytes([9]) * 16
    write_folder(tmp_path / old.hex(), old, rechained(old, [b"\xc0"] * 3))
    found = journals_in(tmp_path)
    assert [(one.journal, one.first) for one in found] == [(gate.key.journal, 1), (old, 1)]
