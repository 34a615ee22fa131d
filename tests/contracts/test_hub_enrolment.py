"""What every engine must keep of enrolment: a token makes one request, a word decides it once."""

from __future__ import annotations

import msgspec
import pytest

from hub.errors import StoreError
from hub.store.devices import Device
from hub.store.enrolment import (
    EnrolmentRequest,
    EnrolmentToken,
    IssuedCertificate,
    RequestState,
)
from hub.store.port import Store

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
TOKEN = EnrolmentToken(
    secret_sha256=b"t" * 32, site="site-1", serial="s1", device="gate-1", created_ns=1, expires_ns=9
)
REQUEST = EnrolmentRequest(
    number="ABCD",
    secret_sha256=TOKEN.secret_sha256,
    device="gate-1",
    site="site-1",
    serial="s1",
    public_key=KEY,
    created_ns=2,
)
GATE = Device(name="gate-1", enrolled_ns=3, public_key=KEY, site="site-1", expires_ns=100)
replace = msgspec.structs.replace


def certificate(number: str, ends: int, *, key: bytes = KEY) -> IssuedCertificate:
    return IssuedCertificate(
        serial_number=number,
        device="gate-1",
        public_key=key,
        not_before_ns=1,
        not_after_ns=ends,
        der=b"der" + number.encode(),
    )


async def test_a_token_is_kept_once(store: Store) -> None:
    await store.put_enrolment_token(TOKEN)
    with pytest.raises(StoreError):
        await store.put_enrolment_token(replace(TOKEN, site="site-2"))
    assert await store.enrolment_token(TOKEN.secret_sha256) == TOKEN
    assert await store.enrolment_token(b"x" * 32) is None


async def test_a_token_makes_one_request_and_knows_whose(store: Store) -> None:
    await store.put_enrolment_token(TOKEN)
    assert await store.request_of_token(TOKEN.secret_sha256) is None
    assert await store.file_request(REQUEST) == REQUEST
    late = replace(REQUEST, number="EFGH", public_key=OTHER_KEY)
    assert await store.file_request(late) == REQUEST, "the first one counts"
    assert await store.request_of_token(TOKEN.secret_sha256) == REQUEST
    assert list(await store.requests()) == [REQUEST]
    assert await store.enrolment_token(TOKEN.secret_sha256) == replace(TOKEN, used_by=KEY)


async def test_a_key_without_a_token_has_one_pending_request(store: Store) -> None:
    first = replace(REQUEST, secret_sha256=b"")
    assert await store.file_request(first) == first
    again = replace(first, number="EFGH", created_ns=5)
    assert await store.file_request(again) == first
    assert await store.refuse("ABCD", 6)
    assert await store.file_request(again) == again, "a decided one is no longer in the way"
    other = replace(first, number="IJKL", public_key=OTHER_KEY, created_ns=7)
    assert await store.file_request(other) == other
    assert [one.number for one in await store.requests()] == ["ABCD", "EFGH", "IJKL"]
    assert await store.request_of_token(b"") is None


async def test_an_approval_registers_the_device_with_its_certificate(store: Store) -> None:
    await store.put_enrolment_token(TOKEN)
    await store.file_request(REQUEST)
    issued = certificate("1", 100)
    assert await store.approve("ABCD", GATE, issued, 4)
    assert await store.device_by_key(KEY) == GATE
    assert await store.newest_certificate(KEY) == issued
    decided = await store.request_of_token(TOKEN.secret_sha256)
    assert decided == replace(REQUEST, state=RequestState.APPROVED, decided_ns=4)
    assert not await store.approve("ABCD", GATE, certificate("2", 200), 5), "decided once"
    assert not await store.refuse("ABCD", 5)
    assert await store.newest_certificate(KEY) == issued


async def test_an_approval_that_cannot_be_leaves_no_trace(store: Store) -> None:
    await store.put_device(Device(name="gate-2", enrolled_ns=1, public_key=KEY))
    await store.put_enrolment_token(TOKEN)
    await store.file_request(REQUEST)
    with pytest.raises(StoreError):
        await store.approve("ABCD", GATE, certificate("1", 100), 4)
    assert await store.request_of_token(TOKEN.secret_sha256) == REQUEST
    assert await store.newest_certificate(KEY) is None
    assert await store.device_by_name("gate-1") is None


async def test_what_is_not_pending_is_not_decided(store: Store) -> None:
    assert not await store.approve("ABCD", GATE, certificate("1", 100), 4)
    assert not await store.refuse("ABCD", 4)
    assert list(await store.devices()) == []


async def test_only_a_registered_device_that_is_not_denied_gets_its_next_certificate(
    store: Store,
) -> None:
    assert not await store.issue(certificate("1", 200))
    await store.put_device(GATE)
    assert await store.issue(certificate("1", 200))
    assert await store.device_by_name("gate-1") == replace(GATE, expires_ns=200)
    assert not await store.issue(certificate("2", 300, key=OTHER_KEY))
    await store.set_denied("gate-1", 5)
    assert not await store.issue(certificate("3", 400))
    newest = await store.newest_certificate(KEY)
    assert newest is not None
    assert newest.serial_number == "1"
