"""Replacing the hub's keys: gates follow by themselves, and thieves are left behind."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from cache.errors import TrustError
from cache.replica import durable
from cache.replica.head import sign_head, verify_head
from cache.replica.replicate import Outcome
from cache.replica.trust import Trust
from hub import rotation
from hub.keys import HEAD, ROOT, TIMESTAMP, TRUST_ROLES, load_keys
from hub.rotation import NEW, ROTATED, publish_again, settle
from tests.hub.power_cut import FailingOs, PowerCutError
from tests.hub.rotating import World, of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("role", ROTATED)
async def test_a_running_gate_follows_the_replacement_of_every_key(role: str, world: World) -> None:
    assert await world.round() is Outcome.ACTIVATED
    before = load_keys(world.folder.keys)
    world.rotate(role)
    after = load_keys(world.folder.keys)
    assert {r: of(before, r) != of(after, r) for r in (*TRUST_ROLES, HEAD)} == {
        r: r == role for r in (*TRUST_ROLES, HEAD)
    }
    assert await world.round() in {Outcome.REVOUCHED, Outcome.ACTIVATED}
    world.publish(4)
    assert await world.round() is Outcome.ACTIVATED
    assert world.book.rows >= 4
    world.rotate(role)
    assert await world.round() in {Outcome.REVOUCHED, Outcome.ACTIVATED}
    world.restart()
    assert await world.gate.open(), "what was accepted serves at once"
    assert await world.round() is Outcome.UNCHANGED


async def test_a_stolen_head_key_is_worth_nothing_once_it_is_replaced(world: World) -> None:
    await world.round()
    thief = load_keys(world.folder.keys).head
    head_file = world.folder.replica / "head"
    honest = verify_head(head_file.read_bytes(), [thief.public_key()]).head
    far = sign_head(type(honest)(**_with(honest, sequence=(1 << 62))), thief)
    head_file.write_bytes(far)
    assert await world.round() is Outcome.REVOUCHED, "until then nothing tells him from the hub"
    head_file.write_bytes(sign_head(honest, thief))
    assert await world.round() is Outcome.REFUSED, "the ratchet stands at his sequence"
    world.rotate(HEAD)
    world.publish(5)
    assert await world.round() is Outcome.ACTIVATED, "the ratchet went with his key"
    head_file.write_bytes(sign_head(type(honest)(**_with(honest, sequence=(1 << 62) + 1)), thief))
    assert await world.round() is Outcome.REFUSED
    assert world.book.rows >= 5


def _with(head: Any, **changed: object) -> dict[str, Any]:
    return {name: getattr(head, name) for name in head.__struct_fields__} | changed


async def test_what_a_head_names_and_the_targets_do_not_list_is_refused(world: World) -> None:
    await world.round()
    thief = load_keys(world.folder.keys).head
    head_file = world.folder.replica / "head"
    honest = verify_head(head_file.read_bytes(), [thief.public_key()]).head
    persons = honest.datasets["persons"]
    forged = type(persons)(**_with(persons, root=bytes(32)))
    head = type(honest)(**_with(honest, sequence=honest.sequence + 1, datasets={"persons": forged}))
    head_file.write_bytes(sign_head(head, thief))
    assert await world.round() is Outcome.REFUSED
    assert "targets" in world.gate.status().last_error


async def test_metadata_of_a_stranger_is_refused_and_the_gate_serves_on(world: World) -> None:
    await world.round()
    other = World(world.path / "other")
    for name in ("head", "metadata/timestamp.json"):
        data = (other.folder.replica / name).read_bytes()
        (world.folder.replica / name).write_bytes(data)
    assert await world.round() is Outcome.REFUSED
    assert "timestamp metadata is not signed" in world.gate.status().last_error
    assert world.book.rows >= 3


@pytest.mark.parametrize("again", [False, True], ids=["init", "again"])
@pytest.mark.parametrize("number", [3, 6, 10, 11, 14, 25, 40])
@pytest.mark.parametrize("role", [HEAD, TIMESTAMP, ROOT])
async def test_after_a_power_cut_what_was_begun_is_completed(
    role: str, number: int, again: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.round()
    faulty = FailingOs(number)
    monkeypatch.setattr(durable, "os", faulty)
    monkeypatch.setattr(rotation, "os", faulty)
    with contextlib.suppress(PowerCutError):
        world.rotate(role)
    monkeypatch.undo()
    if again:
        world.rotate(role)
    else:
        settle(world.folder)
        world.clock.advance(1)
        publish_again(world.folder, world.clock.now())
    world.publish(5)
    assert await world.round() is Outcome.ACTIVATED
    assert not list(world.folder.keys.glob(f"*{NEW}"))
    world.rotate(ROOT)
    assert await world.round() is Outcome.REVOUCHED


def test_a_root_from_elsewhere_is_no_way_in(world: World) -> None:
    other = World(world.path / "other")
    with pytest.raises(TrustError, match="root file"):
        Trust.open(world.path / "third", other.folder.hash_key.read_bytes())
