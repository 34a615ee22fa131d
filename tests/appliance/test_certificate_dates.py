"""An ended certificate of the hub is noticed, and a clock that nobody vouches for stops nothing."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from admission.instant import ClockTrust, Instant
from appliance.hub_client import HubClient, HubTls
from tests.appliance.certificates import DAY, Authority
from tests.appliance.test_hub_client import a_server, authority, failed, fetched

__all__ = ["authority"]  # the fixture

NOT_VALID = [
    ({"since": -3 * DAY, "until": -DAY}, "expired"),
    ({"since": DAY, "until": 2 * DAY}, "not valid yet"),
]


def at(trust: ClockTrust, ahead: timedelta = timedelta()) -> Instant:
    return Instant(time.time_ns() + int(ahead.total_seconds() * 1e9), 1, "boot", trust)


@pytest.mark.parametrize(("dates", "what"), NOT_VALID)
@pytest.mark.parametrize("trust", [ClockTrust.SYNCHRONISED, ClockTrust.RTC])
async def test_the_gates_clock_judges_the_enrolled_authoritys_certificates(
    authority: Authority, dates: dict[str, timedelta], what: str, trust: ClockTrust
) -> None:
    tls = HubTls(enrolled=authority.path)
    async with (
        a_server(authority.server_context(**dates)) as url,
        HubClient(tls, now=lambda: at(trust)) as client,
    ):
        assert what in (await failed(client, url)).what


@pytest.mark.parametrize("dates", [dates for dates, _ in NOT_VALID])
async def test_while_nobody_vouches_for_the_date_the_hub_is_reached(
    authority: Authority, dates: dict[str, timedelta]
) -> None:
    tls = HubTls(enrolled=authority.path)
    async with (
        a_server(authority.server_context(**dates)) as url,
        HubClient(tls, now=lambda: at(ClockTrust.UNKNOWN)) as client,
    ):
        assert await fetched(client, url) == "nobody"


async def test_it_is_the_gates_own_clock_and_not_the_systems(authority: Authority) -> None:
    """A gate without a battery, which the hub has told the time: the system still says 1970."""
    context = authority.server_context(since=9 * DAY, until=11 * DAY)
    tls = HubTls(enrolled=authority.path)
    async with (
        a_server(context) as url,
        HubClient(tls, now=lambda: at(ClockTrust.SYNCHRONISED, 10 * DAY)) as client,
    ):
        assert await fetched(client, url) == "nobody"
