"""The hub's trust metadata is what a gate can follow at any moment."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.instant import ClockTrust, Instant
from cache.errors import TrustError
from cache.replica import durable
from cache.replica.directory_source import DirectorySource
from cache.replica.trust import Trust, segment_target
from hub.errors import PublishError
from hub.keys import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, HubKeys, create_keys
from hub.trust_repository import LIFE, Target, TrustRepository
from tests.hub.power_cut import FailingOs, PowerCutError

DAY_NS = 86_400 * 10**9
TODAY_NS = 1_632_099_600 * 10**9


def at(days: float = 0) -> Instant:
    return Instant(TODAY_NS + int(days * DAY_NS), 0, "boot-1", ClockTrust.RTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


def a_target(seed: int) -> dict[str, Target]:
    digest = hashlib.sha256(bytes([seed])).digest()
    return {segment_target(digest): Target(1, digest)}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "metadata").iterdir()}


def root_of(folder: Path, version: int = 1) -> bytes:
    return (folder / "metadata" / f"{version}.root.json").read_bytes()


async def followed(trust: Trust, folder: Path, now: Instant) -> bool:
    return await trust.refresh(DirectorySource(folder), now)


async def test_a_gate_follows_from_the_first_root(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path / "replica", keys)
    assert repository.root() is None
    assert repository.publish(a_target(1), at()) == 1
    assert repository.root() == root_of(tmp_path / "replica")
    trust = Trust.open(tmp_path / "gate", root_of(tmp_path / "replica"))
    assert await followed(trust, tmp_path / "replica", at())
    assert trust.version == 1
    assert trust.head_keys[0].public_bytes_raw() == keys.public_key.public_bytes_raw()
    assert repository.publish(a_target(1) | a_target(2), at()) == 2
    assert await followed(trust, tmp_path / "replica", at())
    assert trust.version == 2
    assert repository.targets() == a_target(1) | a_target(2)


def test_nothing_is_written_where_nothing_has_changed(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path, keys)
    repository.publish(a_target(1), at())
    before = files(tmp_path)
    assert repository.publish(a_target(1), at(5)) == 1
    assert files(tmp_path) == before


def test_what_nears_its_end_is_signed_again_in_time(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path, keys)
    repository.publish(a_target(1), at())
    for day in range(1, 800, 9):
        repository.publish(a_target(1), at(day))
        now = at(day).wall_ns
        for role, end in repository.until().items():
            rest = timedelta(seconds=end.timestamp() - now / 1e9)
            assert rest >= LIFE[role] * 0.15, f"{role} on day {day}"
    assert repository.targets() == a_target(1)
    assert len(files(tmp_path)) < 40, "old versions are not kept for ever"


def test_a_root_whose_key_is_elsewhere_is_asked_for_in_time(tmp_path: Path, keys: HubKeys) -> None:
    TrustRepository(tmp_path, keys).publish({}, at())
    repository = TrustRepository(tmp_path, msgspec.structs.replace(keys, root=None))
    assert repository.problem(at(300)) == ""
    assert "rotate root" in repository.problem(at(310))
    repository.publish({}, at(310))
    assert repository.root() == root_of(tmp_path)


def test_without_a_root_and_without_its_key_nothing_is_published(
    tmp_path: Path, keys: HubKeys
) -> None:
    repository = TrustRepository(tmp_path, msgspec.structs.replace(keys, root=None))
    with pytest.raises(PublishError) as refusal:
        repository.publish({}, at())
    assert "chot hub init" in refusal.value.hint


@pytest.mark.parametrize("role", [TARGETS, SNAPSHOT, TIMESTAMP])
async def test_a_key_that_the_root_does_not_name_publishes_nothing(
    role: str, tmp_path: Path, keys: HubKeys
) -> None:
    folder = tmp_path / "replica"
    TrustRepository(folder, keys).publish(a_target(1), at())
    other = msgspec.structs.replace(keys, **{role: Ed25519PrivateKey.generate()})
    with pytest.raises(PublishError, match=f"the {role} key"):
        TrustRepository(folder, other).publish(a_target(2), at())
    trust = Trust.open(tmp_path / "gate", root_of(folder))
    await followed(trust, folder, at())
    assert trust.version == 1


def test_who_began_with_a_head_key_that_was_replaced_brings_it_back_to_nobody(
    tmp_path: Path, keys: HubKeys
) -> None:
    began = TrustRepository(tmp_path, keys)
    began.publish(a_target(1), at())
    after = msgspec.structs.replace(
        keys, head=Ed25519PrivateKey.generate(), former=(keys.public_key,)
    )
    TrustRepository(tmp_path, after).publish(a_target(1), at())
    before = files(tmp_path)
    with pytest.raises(PublishError, match="replaced meanwhile"):
        began.publish(a_target(2), at())
    assert files(tmp_path) == before


def test_a_root_names_no_key_that_is_gone(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path, keys)
    repository.publish({}, at())
    assert keys.root is not None
    other = Ed25519PrivateKey.generate().public_key()
    replaced = repository.replace_root({TARGETS: other}, [keys.root], at())
    assert keys.targets.public_key().public_bytes_raw().hex().encode() not in replaced
    assert other.public_bytes_raw().hex().encode() in replaced


def test_a_root_that_gates_would_refuse_is_not_published(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path, keys)
    repository.publish({}, at())
    assert keys.root is not None
    stranger = Ed25519PrivateKey.generate()
    for changed, signers in (
        ({TARGETS: stranger.public_key()}, [stranger]),
        ({ROOT: stranger.public_key()}, [stranger]),
        ({ROOT: stranger.public_key()}, [keys.root]),
    ):
        with pytest.raises(PublishError, match="not the key"):
            repository.replace_root(changed, signers, at())
    assert not (tmp_path / "metadata" / "2.root.json").exists()


def test_everything_published_may_be_read_by_the_web_server(tmp_path: Path, keys: HubKeys) -> None:
    TrustRepository(tmp_path, keys).publish({}, at())
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "metadata").iterdir()}
    assert modes == {0o644}


def test_damaged_metadata_is_named(tmp_path: Path, keys: HubKeys) -> None:
    repository = TrustRepository(tmp_path, keys)
    repository.publish({}, at())
    (tmp_path / "metadata" / "timestamp.json").write_bytes(b"{}")
    with pytest.raises(PublishError, match="cannot be used") as refusal:
        repository.publish(a_target(1), at())
    assert "backup" in refusal.value.hint


@pytest.mark.parametrize("number", range(30))
async def test_whoever_follows_after_a_power_cut_finds_old_or_new(
    number: int, tmp_path: Path, keys: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "replica"
    TrustRepository(folder, keys).publish(a_target(1), at())
    assert keys.root is not None
    other = msgspec.structs.replace(
        keys,
        timestamp=Ed25519PrivateKey.generate(),
        head=Ed25519PrivateKey.generate(),
        former=(keys.public_key,),
    )
    faulty = FailingOs(number)
    monkeypatch.setattr(durable, "os", faulty)
    cut = False
    try:
        TrustRepository(folder, keys).replace_root(
            {TIMESTAMP: other.timestamp.public_key()}, [keys.root], at()
        )
        TrustRepository(folder, other).publish(a_target(2), at())
    except PowerCutError:
        cut = True
    monkeypatch.undo()
    assert cut == (len(faulty.calls) > number)
    trust = Trust.open(tmp_path / "gate", root_of(folder))
    try:
        await followed(trust, folder, at())
    except TrustError as error:  # between a new root and a new timestamp
        refusal = str(error)
    else:
        refusal = ""
    assert "timestamp metadata is not signed" in refusal if refusal else trust.version in {1, 2}
    if (folder / "metadata" / "2.root.json").exists():
        TrustRepository(folder, other).publish(a_target(2), at())
        await followed(trust, folder, at())
        assert trust.version == 2


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(13, "denied")]
)
def test_a_disk_that_fails_is_named(
    fault: OSError, tmp_path: Path, keys: HubKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    writes: Callable[..., None] = fail
    monkeypatch.setattr("hub.trust_files.write_durably", writes)
    with pytest.raises(PublishError, match="cannot be read or written"):
        TrustRepository(tmp_path, keys).publish({}, at())
