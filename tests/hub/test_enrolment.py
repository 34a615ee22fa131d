"""Nobody becomes a device but who has the token, the site, the hardware, and a person's word."""

from __future__ import annotations

import itertools

import pytest

from appliance.certificates import Names
from hub import enrolment
from hub.authority import Authority, create_authority, load_authority
from hub.errors import ForbiddenError, HubError, UnauthorisedError
from hub.store.enrolment import EnrolmentRequest, IssuedCertificate
from tests.hub.enrolments import DAY_NS, KEY, NAMES, STRANGER, TOKEN, asked, give, later
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

NOW = ManualClock().now()
RAW = KEY.public_key().public_bytes_raw()
_draws = itertools.count(1)


def draw(count: int) -> bytes:
    return next(_draws).to_bytes(count, "big")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("keys")
    create_authority(folder, NOW)
    return load_authority(folder)


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await give(store, NOW)
    return store


async def pending(store: MemoryStore, *, days: float = 0.0) -> EnrolmentRequest:
    now = later(NOW, days)
    answer = await enrolment.apply(store, TOKEN.secret, asked(), now, draw)
    assert isinstance(answer, EnrolmentRequest)
    return answer


async def enrolled(store: MemoryStore, authority: Authority) -> IssuedCertificate:
    request = await pending(store)
    await enrolment.approve(store, authority, request.number, NOW, replace=False)
    answer = await enrolment.apply(store, TOKEN.secret, asked(), NOW, draw)
    assert isinstance(answer, IssuedCertificate)
    return answer


async def test_a_gate_waits_for_a_person_and_then_has_its_certificate(
    store: MemoryStore, authority: Authority
) -> None:
    first = await pending(store)
    assert await pending(store) == first, "asked again: the same request"
    with pytest.raises(ForbiddenError, match="nobody has approved"):
        await enrolment.require_approved(store, TOKEN.secret, asked(), NOW)
    await enrolment.approve(store, authority, first.number.lower(), NOW, replace=False)
    answer = await enrolment.apply(store, TOKEN.secret, asked(), NOW, draw)
    assert isinstance(answer, IssuedCertificate)
    assert answer == await enrolment.apply(store, TOKEN.secret, asked(), NOW, draw), "lost answer"
    device = await enrolment.require_approved(store, TOKEN.secret, asked(), NOW)
    assert (device.name, device.site, device.serial, device.public_key) == (
        *("gate-1", "site-1", "serial-1"),
        RAW,
    )
    assert device.expires_ns == answer.not_after_ns
    assert answer.not_after_ns - NOW.wall_ns == 90 * DAY_NS


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (Names("gate-1", "site-2", "serial-1"), "another site"),
        (Names("gate-1", "site-1", "serial-2"), "another serial"),
    ],
)
async def test_a_token_is_for_one_site_and_one_device(
    store: MemoryStore, names: Names, why: str
) -> None:
    with pytest.raises(ForbiddenError, match=why):
        await enrolment.apply(store, TOKEN.secret, asked(names), NOW, draw)
    assert list(await store.requests()) == [], "and is not used up by that"


async def test_a_token_may_name_the_device() -> None:
    store = MemoryStore()
    await give(store, NOW, device="gate-2")
    with pytest.raises(ForbiddenError, match="another name"):
        await enrolment.apply(store, TOKEN.secret, asked(), NOW, draw)


async def test_a_token_counts_for_its_hours_and_one_key(store: MemoryStore) -> None:
    with pytest.raises(ForbiddenError, match="expired"):
        await enrolment.apply(store, TOKEN.secret, asked(), later(NOW, 1), draw)
    await pending(store, days=0.9)
    await pending(store, days=1.5)
    with pytest.raises(ForbiddenError, match="used already, by another key"):
        await enrolment.apply(store, TOKEN.secret, asked(key=STRANGER), NOW, draw)


async def test_a_secret_that_is_none_is_refused(store: MemoryStore) -> None:
    with pytest.raises(UnauthorisedError):
        await enrolment.apply(store, b"x" * 16, asked(), NOW, draw)


async def test_a_denied_request_stays_denied(store: MemoryStore, authority: Authority) -> None:
    request = await pending(store)
    await enrolment.refuse(store, request.number, NOW)
    with pytest.raises(ForbiddenError, match="denied"):
        await pending(store)
    with pytest.raises(HubError, match="no request"):
        await enrolment.approve(store, authority, request.number, NOW, replace=False)
    assert list(await store.devices()) == []


async def test_what_waited_for_a_week_is_not_approved(
    store: MemoryStore, authority: Authority
) -> None:
    request = await pending(store)
    with pytest.raises(HubError, match="week"):
        await enrolment.approve(store, authority, request.number, later(NOW, 8), replace=False)
    with pytest.raises(ForbiddenError, match="time is over"):
        await pending(store, days=8)


async def test_the_region_is_told_for_a_day_after_the_approval(
    store: MemoryStore, authority: Authority
) -> None:
    await enrolled(store, authority)
    await enrolment.require_approved(store, TOKEN.secret, asked(), later(NOW, 0.9))
    for now, key in ((later(NOW, 1.1), KEY), (NOW, STRANGER)):
        with pytest.raises(ForbiddenError):
            await enrolment.require_approved(store, TOKEN.secret, asked(key=key), now)
    await store.set_denied("gate-1", 1)
    with pytest.raises(ForbiddenError, match="denied"):
        await enrolment.require_approved(store, TOKEN.secret, asked(), NOW)


async def test_another_gate_takes_a_name_only_by_a_person_s_explicit_word(
    store: MemoryStore, authority: Authority
) -> None:
    await enrolled(store, authority)
    newer = MemoryStore()
    newer._devices = store._devices
    await give(newer, NOW)
    answer = await enrolment.apply(newer, TOKEN.secret, asked(key=STRANGER), NOW, draw)
    assert isinstance(answer, EnrolmentRequest)
    with pytest.raises(HubError, match="another key") as caught:
        await enrolment.approve(newer, authority, answer.number, NOW, replace=False)
    assert "--replace" in caught.value.hint
    await enrolment.approve(newer, authority, answer.number, NOW, replace=True)
    assert await newer.device_by_key(RAW) is None


async def test_a_renewal_comes_at_half_life_and_not_before(
    store: MemoryStore, authority: Authority
) -> None:
    first = await enrolled(store, authority)

    async def renewed(days: float) -> EnrolmentRequest | IssuedCertificate:
        return await enrolment.renew(store, authority, asked(), later(NOW, days), draw)

    assert await renewed(44) == first
    second = await renewed(46)
    assert isinstance(second, IssuedCertificate)
    assert second.not_after_ns == NOW.wall_ns + (46 + 90) * DAY_NS
    assert await renewed(47) == second, "asked twice: one certificate"
    ended = await renewed(137)
    assert isinstance(ended, EnrolmentRequest)
    assert await renewed(138) == ended, "one request, however often it asks"
    await enrolment.approve(store, authority, ended.number, later(NOW, 138), replace=False)
    third = await renewed(139)
    assert isinstance(third, IssuedCertificate)


@pytest.mark.parametrize(
    ("names", "key"),
    [(NAMES, STRANGER), (Names("gate-2", "site-1", "serial-1"), KEY)],
)
async def test_a_renewal_is_for_the_same_key_and_names(
    store: MemoryStore, authority: Authority, names: Names, key: object
) -> None:
    await enrolled(store, authority)
    with pytest.raises(ForbiddenError):
        await enrolment.renew(store, authority, asked(names, key), NOW, draw)  # type: ignore[arg-type]


async def test_a_denied_device_is_not_renewed(store: MemoryStore, authority: Authority) -> None:
    await enrolled(store, authority)
    await store.set_denied("gate-1", 1)
    for days in (1, 46, 137):
        with pytest.raises(ForbiddenError, match="denied"):
            await enrolment.renew(store, authority, asked(), later(NOW, days), draw)


async def test_who_turns_a_renewal_down_denies_the_device(
    store: MemoryStore, authority: Authority
) -> None:
    await enrolled(store, authority)
    ended = await enrolment.renew(store, authority, asked(), later(NOW, 100), draw)
    assert isinstance(ended, EnrolmentRequest)
    await enrolment.refuse(store, ended.number, later(NOW, 100))
    device = await store.device_by_name("gate-1")
    assert device is not None
    assert device.denied
