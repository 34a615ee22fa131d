"""Protects the only way up for what happened: signed by the gate, bounded, answered with a mark."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import zstandard
from aiohttp.test_utils import make_mocked_request
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from admission.upload import (
    SIGNED_UPLOAD_PATH,
    Mark,
    make_batch,
    open_mark,
    sign_batch,
    unpack_signed_batch,
)
from admission.wire import MAX_BATCH_BYTES, Entry
from hub.client_certificate import presented_key
from hub.entries_door import judged
from hub.errors import ForbiddenError, StoreError
from hub.store.entries import FlagKind, JournalKey
from tests.hub.doors import HEAD_KEY, Hub, a_hub, refusal
from tests.hub.gates import DEVICE_KEY, JOURNAL, a_signed_batch, entries_of

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes([6]) * 32)
ENTRIES = entries_of(5)
GOOD = a_signed_batch(ENTRIES)
KEY = JournalKey("gate-1", JOURNAL)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as world:
        yield world


def marked(answer: tuple[int, bytes]) -> Mark:
    status, body = answer
    assert status == 200, body
    return open_mark(body, [HEAD_KEY.public_key()])


async def test_a_batch_is_answered_with_a_signed_mark(hub: Hub) -> None:
    wall_ns = hub.clock.now().wall_ns
    mark = Mark(2, "gate-1", JOURNAL, 5, ENTRIES[4].chain_hash, wall_ns)
    assert marked(await hub.send(GOOD)) == mark
    assert marked(await hub.send(GOOD)) == mark, "sent again"
    assert 'chot_hub_batches_total{status="200"} 2.0' in hub.metrics.exposition().decode()
    assert (await hub.store.count("gate-1")).entries == 5


async def test_an_empty_batch_asks_for_the_mark_and_makes_nothing(hub: Hub) -> None:
    nothing = Mark(2, "gate-1", JOURNAL, 0, bytes(32), hub.clock.now().wall_ns)
    assert marked(await hub.send(a_signed_batch([]))) == nothing
    assert KEY not in hub.store.entries_of
    await hub.send(GOOD)
    mark = marked(await hub.send(a_signed_batch([], first=6)))
    assert (mark.through, mark.chain_hash) == (5, ENTRIES[4].chain_hash)


async def test_a_place_that_cannot_be_read_any_more_holds_up_nothing(hub: Hub) -> None:
    lost = Entry(3, bytes(32), b"")
    mark = marked(await hub.send(a_signed_batch([*ENTRIES[:2], lost, *ENTRIES[3:]])))
    assert (mark.through, mark.chain_hash) == (5, ENTRIES[4].chain_hash)
    assert await hub.store.flags(KEY) == []
    assert marked(await hub.send(a_signed_batch([Entry(6, bytes(32), b"")]))).chain_hash == bytes(
        32
    )


async def test_a_bad_entry_is_kept_flagged_and_holds_up_nothing(hub: Hub) -> None:
    bad = msgspec.structs.replace(ENTRIES[2], packed=b"\xc1")
    mark = marked(await hub.send(a_signed_batch([*ENTRIES[:2], bad, *ENTRIES[3:]])))
    assert mark.through == 5
    flags = await hub.store.flags(KEY)
    assert [(flag.sequence, flag.kind) for flag in flags] == [
        (3, FlagKind.CHAIN_BROKEN),
        (3, FlagKind.UNDECODABLE),
    ]
    assert hub.store.entries_of[KEY][3].packed == b"\xc1"


async def test_only_a_registered_devices_own_key_counts(hub: Hub) -> None:
    for body in (
        a_signed_batch(ENTRIES, key=OTHER_KEY),
        a_signed_batch(ENTRIES, device="gate-2"),
        a_signed_batch(ENTRIES, device="gate-3"),
    ):
        await hub.register("gate-2", OTHER_KEY.public_key())
        assert refusal(await hub.send(body))[0] == 401
    assert not hub.store.entries_of


async def test_a_device_with_a_token_alone_cannot_sign(hub: Hub) -> None:
    await hub.register("gate-1", DEVICE_KEY.public_key())
    known = await hub.store.device_by_name("gate-1")
    assert known is not None
    await hub.store.put_device(msgspec.structs.replace(known, public_key=b""))
    assert refusal(await hub.send(GOOD))[0] == 401


async def test_a_denied_device_is_refused(hub: Hub) -> None:
    await hub.store.set_denied("gate-1", 1)
    assert refusal(await hub.send(GOOD))[0] == 403
    await hub.store.set_denied("gate-1", None)
    assert marked(await hub.send(GOOD)).through == 5


async def test_a_denial_is_felt_within_a_second_and_a_new_key_at_once(hub: Hub) -> None:
    assert marked(await hub.send(GOOD)).through == 5
    await hub.register("gate-1", OTHER_KEY.public_key())
    assert marked(await hub.send(a_signed_batch(ENTRIES, key=OTHER_KEY))).through == 5
    assert refusal(await hub.send(GOOD))[0] == 401
    await hub.store.set_denied("gate-1", 1)
    hub.clock.advance(1.0)
    assert refusal(await hub.send(a_signed_batch(ENTRIES, key=OTHER_KEY)))[0] == 403


PLAIN = sign_batch(make_batch("gate-1", JOURNAL, 1, ENTRIES, 0), DEVICE_KEY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        PLAIN,
        GOOD[:-1],
        GOOD + b"\x00",
        GOOD + GOOD,
        zstandard.compress(b""),
        zstandard.compress(b"garbage"),
        zstandard.compress(PLAIN[:-1]),
        zstandard.compress(PLAIN + b"\x00"),
        zstandard.compress(b"\x91" * 5_000),
    ],
)
async def test_garbage_is_malformed(hub: Hub, body: bytes) -> None:
    assert refusal(await hub.send(body))[0] == 400
    assert marked(await hub.send(GOOD)).through == 5, "the next one is taken"


async def test_a_bomb_is_unpacked_no_further_than_a_batch_may_be(hub: Hub) -> None:
    assert refusal(await hub.send(zstandard.compress(bytes(256 << 20), 19)))[0] == 413
    stream = zstandard.ZstdCompressor().compressobj()  # says no size at its head
    hidden = stream.compress(bytes(256 << 20)) + stream.flush()
    assert refusal(await hub.send(hidden))[0] == 400
    assert refusal(await hub.send(io.BytesIO(bytes(MAX_BATCH_BYTES + 1))))[0] == 413


async def test_a_body_that_says_no_length_and_never_ends_is_oversized(hub: Hub) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield bytes(64 << 10)

    assert refusal(await hub.send(endless()))[0] == 413


async def test_foreign_types_and_codings_are_unsupported(hub: Hub) -> None:
    assert refusal(await hub.send(GOOD, Content_Type="application/json"))[0] == 415
    assert refusal(await hub.send(GOOD, Content_Encoding="deflate"))[0] == 415


async def test_a_failure_inside_acknowledges_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreError("disk sda1 is full")

    monkeypatch.setattr(hub.store, "add_entries", broken)
    status, message = refusal(await hub.send(GOOD))
    assert (status, "sda1" in message) == (503, False)


class _Line:
    """A TLS connection, as far as it is looked at."""

    def __init__(self, certificate: bytes | None) -> None:
        self._certificate = certificate

    def get_extra_info(self, name: str, _: object = None) -> object:
        return self if name == "ssl_object" else None

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        assert binary_form
        return self._certificate


def certificate_of(key: Ed25519PrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gate-1")])
    day = dt.datetime(2021, 9, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day.replace(day=2))
    return builder.sign(key, None).public_bytes(Encoding.DER)


def test_the_lines_key_is_that_of_its_certificate() -> None:
    def seen(certificate: bytes | None) -> bytes | None:
        line = _Line(certificate)
        request = make_mocked_request("POST", SIGNED_UPLOAD_PATH, transport=line)  # type: ignore[arg-type]
        return presented_key(request)

    assert seen(certificate_of(DEVICE_KEY)) == DEVICE_KEY.public_key().public_bytes_raw()
    assert seen(None) is None
    assert seen(b"garbage") == b""
    curve = generate_private_key(SECP256R1())
    name = x509.Name([])
    day = dt.datetime(2021, 9, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, curve.public_key(), 1, day, day.replace(day=2))
    assert seen(builder.sign(curve, SHA256()).public_bytes(Encoding.DER)) == b""


async def test_another_line_than_the_batchs_key_is_refused(hub: Hub) -> None:
    received = unpack_signed_batch(PLAIN)
    device = await hub.store.device_by_name("gate-1")
    own = DEVICE_KEY.public_key().public_bytes_raw()
    assert judged(device, received, hub.clock.now(), own).name == "gate-1"
    for other in (OTHER_KEY.public_key().public_bytes_raw(), b""):
        with pytest.raises(ForbiddenError):
            judged(device, received, hub.clock.now(), other)


async def test_a_device_whose_certificate_has_ended_waits_for_a_person(hub: Hub) -> None:
    now_ns = hub.clock.now().wall_ns
    key = DEVICE_KEY.public_key()
    await hub.register("gate-1", key, expires_ns=now_ns)
    status, said = refusal(await hub.send(GOOD))
    assert (status, "ended" in said) == (403, True)
    await hub.register("gate-1", key, expires_ns=now_ns + 10**12)
    assert (await hub.send(GOOD))[0] == 200
