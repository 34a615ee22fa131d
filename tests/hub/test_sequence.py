"""Protects gates from a hub that lost count or time: heads follow each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from admission.identity import Identifier, IdentifierKind
from admission.instant import Instant
from admission.standing import PersonFacts
from cache.replica.head import HEAD_VERSION, public_key_id
from hub.errors import PublishError
from hub.keys import HubKeys, create_keys
from hub.publish import Publisher
from hub.sequence import MAX_AHEAD_NS, MAX_DRIFT_NS
from hub.store.port import KnownIdentifier, Person
from tests.worlds import ManualClock

PEOPLE = [Person(1, (KnownIdentifier(Identifier(IdentifierKind.QID, "1")),), PersonFacts())]
MINUTE_S, DAY_S = 60, 86_400


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def publisher(tmp_path: Path, keys: HubKeys) -> Publisher:
    return Publisher(tmp_path, keys)


def at(seconds: int) -> Instant:
    clock = ManualClock()
    clock.advance(seconds)
    return clock.now()


def set_to(seconds: int) -> Instant:
    """Return the moment of a clock that was set, however long the machine runs."""
    return msgspec.structs.replace(at(0), wall_ns=at(seconds).wall_ns)


def an_older_head(keys: HubKeys, version: int, payload: Any) -> bytes:
    packed = msgspec.msgpack.encode(payload)
    signature = keys.head.sign(b"chot head\x00" + bytes([version]) + packed)
    key_id = public_key_id(keys.public_key)
    return msgspec.msgpack.encode([version, key_id, packed, signature])


def numbers(sequence: int, issued_ns: int) -> dict[str, Any]:
    """Return what heads of all versions say, and something that only older ones do."""
    return {"sequence": sequence, "issued_ns": issued_ns, "persons": {"root": b"\0" * 32}}


@pytest.mark.parametrize("version", range(1, HEAD_VERSION))
def test_a_hub_of_an_earlier_version_goes_on_with_its_sequence(
    tmp_path: Path, keys: HubKeys, publisher: Publisher, version: int
) -> None:
    file = tmp_path / "replica" / "head"
    file.parent.mkdir()
    file.write_bytes(an_older_head(keys, version, numbers(4_711, at(100).wall_ns)))
    assert publisher.published() is None
    with pytest.raises(PublishError, match="nothing is published"):
        publisher.revouch(at(50))
    head = publisher.publish(PEOPLE, now=at(50))
    assert (head.sequence, head.issued_ns) == (4_712, at(100).wall_ns + 1)
    assert publisher.published() == head


@pytest.mark.parametrize("forged", ["stranger", "later version", "payload", "no head"])
def test_what_we_did_not_sign_is_not_followed(
    tmp_path: Path,
    keys: HubKeys,
    publisher: Publisher,
    forged: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    signer = create_keys(tmp_path_factory.mktemp("other")) if forged == "stranger" else keys
    version = HEAD_VERSION + 1 if forged == "later version" else 2
    payload = [1] if forged == "no head" else numbers(4_711, at(0).wall_ns)
    data = an_older_head(signer, version, payload)
    if forged == "payload":
        data = data.replace(b"persons", b"parsons")
    file = tmp_path / "replica" / "head"
    file.parent.mkdir()
    file.write_bytes(data)
    with pytest.raises(PublishError):
        publisher.publish(PEOPLE, now=at(0))
    assert file.read_bytes() == data


@pytest.mark.parametrize(
    "seconds", [-11 * MINUTE_S, MAX_AHEAD_NS // 10**9 + MINUTE_S], ids=["behind", "ahead"]
)
def test_a_clock_far_from_the_head_before_signs_nothing_until_somebody_vouches_for_it(
    tmp_path: Path, keys: HubKeys, publisher: Publisher, seconds: int
) -> None:
    first = publisher.publish(PEOPLE, now=set_to(DAY_S))
    later = Publisher(tmp_path, keys)  # a hub that was started again
    now = set_to(DAY_S + seconds)
    for sign in (lambda: later.revouch(now), lambda: later.publish([], now=now)):
        with pytest.raises(PublishError, match="clock") as refusal:
            sign()
        assert "--accept-clock" in (refusal.value.hint or "")
    assert later.published() == first
    accepted = Publisher(tmp_path, keys, accept_clock=True).revouch(now)
    assert (accepted.sequence, accepted.issued_ns) == (first.sequence + 1, now.wall_ns)
    assert later.revouch(set_to(DAY_S + seconds + 5)).sequence == first.sequence + 2


def test_a_hub_that_was_off_for_weeks_goes_on(
    tmp_path: Path, keys: HubKeys, publisher: Publisher
) -> None:
    publisher.publish(PEOPLE, now=at(0))
    assert Publisher(tmp_path, keys).revouch(at(45 * DAY_S)).sequence == 2


def test_a_clock_that_leaps_while_the_hub_runs_signs_nothing(publisher: Publisher) -> None:
    publisher.publish(PEOPLE, now=set_to(0))
    drift_s = MAX_DRIFT_NS // 10**9
    assert publisher.revouch(set_to(drift_s - 5)).sequence == 2, "NTP moved it a little"
    leapt = set_to(3 * drift_s)
    with pytest.raises(PublishError, match="leapt"):
        publisher.revouch(leapt)
    assert publisher.revouch(at(3 * drift_s)).sequence == 3, "time went by"


def test_heads_after_a_small_step_back_do_not_grow_older(
    tmp_path: Path, keys: HubKeys, publisher: Publisher
) -> None:
    first = publisher.publish(PEOPLE, now=set_to(DAY_S))
    second = Publisher(tmp_path, keys).revouch(set_to(DAY_S - 9 * MINUTE_S))
    assert second.issued_ns == first.issued_ns + 1


def test_the_clock_is_judged_where_nothing_can_be_written(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What drops old days asks this: on a full medium, where no head is signed, it is what helps.
    assert "nothing is published" in publisher.clock_problem(at(0))
    publisher.publish([], now=at(0))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub.heads.write_durably", full)
    with pytest.raises(PublishError, match="No space"):
        publisher.revouch(at(5))
    assert publisher.clock_problem(at(5)) == ""
    assert "ahead" in publisher.clock_problem(at(61 * 86_400))
    assert "behind" in publisher.clock_problem(at(-3_600))
