"""Replacing the hub's keys: gates follow by themselves, and thieves are left behind."""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from admission.identity import Identifier, IdentifierKind
from admission.standing import PersonFacts
from cache.errors import TrustError
from cache.replica import durable
from cache.replica.book import ReplicaBook
from cache.replica.contents import subscription
from cache.replica.directory_source import DirectorySource
from cache.replica.head import sign_head, verify_head
from cache.replica.keys import hash_key_id
from cache.replica.replicate import Outcome, Replicator
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust
from hub import rotation
from hub.cli import hub
from hub.errors import DataFolderError, HubError, KeyFileError
from hub.folder import DataFolder
from hub.keys import (
    HEAD,
    ROOT,
    TARGETS,
    TIMESTAMP,
    TRUST_ROLES,
    HubKeys,
    create_keys,
    key_file,
    load_keys,
    read_key,
)
from hub.publish import Publisher
from hub.rotation import NEW, ROTATED, publish_again, rotate, settle, take_offline
from hub.store.port import KnownIdentifier, Person
from hub.trust_repository import TrustRepository
from tests.worlds import ManualClock


def people(count: int) -> list[Person]:
    facts = PersonFacts(doses=2, born=date(1980, 1, 1))
    return [
        Person(n, (KnownIdentifier(Identifier(IdentifierKind.DOCUMENT, f"{n:012d}")),), facts)
        for n in range(count)
    ]


class World:
    """A hub's folder, and a gate that follows what lies in it."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.clock.advance(60)
        self.folder = DataFolder(path / "hub")
        self.folder.create()
        create_keys(self.folder.keys)
        self.clock.advance(1)
        publish_again(self.folder, self.clock.now())
        self.publish(3)
        self.path = path
        self.restart()

    def restart(self) -> None:
        root = (self.path / "root.json").read_bytes() if self.started else self.pin()
        self.trust = Trust.open(self.path / "trust", root)
        keys = load_keys(self.folder.keys)
        takes = subscription("gate-1")
        key_id = hash_key_id(keys.hash_key)
        self.store = ReplicaStore(self.path / "state", self.trust, key_id, takes=takes)
        self.book = ReplicaBook(keys.hash_key)
        source = DirectorySource(self.folder.replica)
        self.gate = Replicator([source], self.store, self.book, self.clock)

    @property
    def started(self) -> bool:
        return (self.path / "root.json").exists()

    def pin(self) -> bytes:
        data = self.folder.root_file.read_bytes()
        (self.path / "root.json").write_bytes(data)
        return data

    def publish(self, count: int) -> None:
        self.clock.advance(1)
        keys = load_keys(self.folder.keys)
        Publisher(self.folder.published, keys).publish(people(count), now=self.clock.now())

    def rotate(self, role: str, root_key: Path | None = None) -> None:
        self.clock.advance(1)
        now = self.clock.now()
        rotate(self.folder, role, now, root_key=root_key, entropy=os.urandom)

    async def round(self) -> Outcome:
        self.clock.advance(2)
        return await self.gate.once()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def of(keys: HubKeys, role: str) -> bytes:
    key = getattr(keys, role)
    assert key is not None
    return bytes(key.private_bytes_raw())


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


async def test_the_root_key_can_live_on_a_stick(world: World) -> None:
    await world.round()
    stick = world.path / "stick" / "root.key"
    stick.parent.mkdir()
    here = world.folder.keys / key_file(ROOT)
    before = read_key(here).private_bytes_raw()
    take_offline(world.folder, stick)
    assert not here.exists()
    assert stat.S_IMODE(stick.stat().st_mode) == 0o600
    stick.chmod(0o755)  # a stick's file system keeps no modes
    with pytest.raises(KeyFileError, match="not at") as refusal:
        world.rotate(TARGETS)
    assert "--root-key" in refusal.value.hint
    world.rotate(TARGETS, stick)
    world.rotate(ROOT, stick)
    assert read_key(stick, removable=True).private_bytes_raw() != before
    assert not here.exists(), "the new root key goes where the old one was"
    world.rotate(TIMESTAMP, stick)
    assert await world.round() in {Outcome.REVOUCHED, Outcome.ACTIVATED}
    assert world.trust.root_version == 4
    world.rotate(HEAD)
    assert await world.round() is Outcome.REVOUCHED, "the head's key needs no root key"


def test_a_wrong_root_key_changes_nothing(world: World) -> None:
    other = world.path / "other"
    create_keys(other)
    before = load_keys(world.folder.keys)
    with pytest.raises(HubError, match="not the key"):
        world.rotate(TARGETS, other / key_file(ROOT))
    settle(world.folder)
    assert of(load_keys(world.folder.keys), TARGETS) == of(before, TARGETS)
    assert not list(world.folder.keys.glob(f"*{NEW}"))


def test_a_file_that_is_there_is_never_overwritten(world: World) -> None:
    stick = world.path / "precious"
    stick.write_bytes(b"precious")
    with pytest.raises(KeyFileError, match="already"):
        take_offline(world.folder, stick)
    assert stick.read_bytes() == b"precious"
    assert load_keys(world.folder.keys).root is not None


def test_a_medium_that_keeps_something_else_leaves_the_key_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, data: bytes) -> None:
        path.write_bytes(data[:40])

    monkeypatch.setattr(rotation, "_write_elsewhere", half)
    with pytest.raises(KeyFileError):
        take_offline(world.folder, world.path / "stick")
    assert load_keys(world.folder.keys).root is not None


class PowerCutError(BaseException):
    """The machine is off."""


def _os_until(number: int) -> Any:
    calls = 0

    class Os:
        def __getattr__(self, name: str) -> Any:
            real = getattr(os, name)
            if name not in {"open", "write", "fsync", "replace"}:
                return real

            def call(*arguments: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls > number:
                    raise PowerCutError
                return real(*arguments)

            return call

    return Os()


@pytest.mark.parametrize("again", [False, True], ids=["init", "again"])
@pytest.mark.parametrize("number", [3, 6, 10, 11, 14, 25, 40])
@pytest.mark.parametrize("role", [HEAD, TIMESTAMP, ROOT])
async def test_after_a_power_cut_what_was_begun_is_completed(
    role: str, number: int, again: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.round()
    faulty = _os_until(number)
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


def test_what_was_published_by_an_earlier_version_is_given_a_root(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    succeed("init", "--data", folder.root)
    secret = folder.hash_key.read_bytes()
    for name in ("root.json", *map(key_file, TRUST_ROLES)):
        (folder.keys / name).unlink()
    for path in (folder.replica / "metadata").iterdir():
        path.unlink()
    assert "chot hub init" in fail("keys", "--data", folder.root)
    succeed("init", "--data", folder.root)
    assert folder.hash_key.read_bytes() == secret
    assert folder.root_file.exists()
    assert TrustRepository(folder.replica, load_keys(folder.keys)).root() is not None


def run(*arguments: object) -> Result:
    return CliRunner().invoke(hub, [str(argument) for argument in arguments])


def succeed(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.replace("\n", " ")


def fail(*arguments: object) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, HubError), result.output
    return f"{result.exception} {result.exception.hint}"


def test_the_command_shows_moves_and_replaces(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    stick = tmp_path / "root.key"
    succeed("init", "--data", folder.root)
    for command in (("keys", "--data", folder.root), ("keys", "show", "--data", folder.root)):
        shown = succeed(*command)
        assert str(folder.root_file) in shown
        assert str(folder.hash_key) in shown
        assert "root metadata counts until" in shown
        assert "kept here" in shown
    first = folder.root_file.read_bytes()
    succeed("keys", "offline", "--data", folder.root, stick)
    assert "kept elsewhere" in succeed("keys", "--data", folder.root)
    assert "--root-key" in fail("keys", "rotate", "--data", folder.root, "snapshot")
    succeed("keys", "--data", folder.root, "rotate", "snapshot", "--root-key", stick)
    assert folder.root_file.read_bytes() != first
    assert str(folder.root_file) in succeed(
        "keys", "rotate", "--data", folder.root, ROOT, "--root-key", stick
    )
    secrets = [stick, *folder.keys.glob("*.key")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert run("keys").exit_code == 2
    assert run("keys", "rotate", "--data", folder.root, "hash").exit_code == 2


def test_init_may_move_the_root_key_out_at_once(tmp_path: Path) -> None:
    succeed("init", "--data", tmp_path / "hub", "--root-key", tmp_path / "stick")
    assert read_key(tmp_path / "stick")
    assert load_keys(tmp_path / "hub" / "keys").root is None


def test_keys_are_not_replaced_under_a_hub_that_serves(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    succeed("init", "--data", folder.root)
    with folder.served():
        for command in (("rotate", HEAD), ("offline", tmp_path / "stick")):
            result = run("keys", command[0], "--data", folder.root, command[1])
            assert isinstance(result.exception, DataFolderError)
        succeed("init", "--data", folder.root)
        succeed("keys", "--data", folder.root)


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "hub")
    said = succeed("init", "--data", folder.root) + succeed("keys", "--data", folder.root)
    said += succeed("keys", "rotate", "--data", folder.root, HEAD)
    keys = load_keys(folder.keys)
    for role in (*TRUST_ROLES, HEAD):
        secret = of(keys, role)
        assert secret.hex() not in said
    assert keys.hash_key.hex() not in said
    assert "PRIVATE" not in said


def test_a_root_from_elsewhere_is_no_way_in(world: World) -> None:
    other = World(world.path / "other")
    with pytest.raises(TrustError, match="root file"):
        Trust.open(world.path / "third", other.folder.hash_key.read_bytes())
