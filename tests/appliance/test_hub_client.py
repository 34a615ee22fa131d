"""The way to the hub over real TLS and a real proxy: who is believed, and what is said if not."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from admission.instant import ClockTrust, Instant
from appliance.errors import ConfigError
from appliance.hub_client import HubClient, HubTls
from appliance.hub_failures import Failure, failure_of
from tests.appliance.certificates import DAY, Authority
from tests.appliance.proxying import a_proxy
from tests.appliance.tls_servers import a_server, an_alerting_server

IN_THE_PAST = Instant(1_000_000_000, 1, "boot", ClockTrust.UNKNOWN)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


async def fetched(client: HubClient, url: str) -> str:
    async with client.get(url) as response:
        return await response.text()


async def failed(client: HubClient, url: str, now: Instant | None = None) -> Failure:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the client raises
        await fetched(client, url)
    return failure_of(caught.value, now)


async def test_the_authority_of_the_file_is_believed_and_no_other(
    authority: Authority, tmp_path: Path
) -> None:
    async with a_server(authority.server_context()) as url:
        async with HubClient(authority.tls()) as client:
            assert await fetched(client, url) == "nobody"
        stranger = Authority(tmp_path / "stranger")
        for tls in (HubTls(), stranger.tls()):
            async with HubClient(tls) as client:
                failure = await failed(client, url)
            assert "authority" in failure.what
            assert "hub.ca_file" in failure.hint


@pytest.mark.parametrize(
    ("how", "what", "hint"),
    [
        ({"host": "other.example"}, "another name", "hub.url"),
        ({"host": "192.0.2.1"}, "another name", "hub.url"),
        ({"since": -3 * DAY, "until": -DAY}, "expired", "renew"),
        ({"since": DAY, "until": 2 * DAY}, "not valid yet", "clock"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_told(
    authority: Authority, how: dict[str, timedelta | str], what: str, hint: str
) -> None:
    async with (
        a_server(authority.server_context(**how)) as url,
        HubClient(authority.tls()) as client,
    ):
        failure = await failed(client, url)
    assert what in failure.what
    assert hint in failure.hint


async def test_a_clock_that_nobody_vouches_for_is_named_beside_a_certificates_dates(
    authority: Authority,
) -> None:
    context = authority.server_context(since=DAY, until=2 * DAY)
    async with a_server(context) as url, HubClient(authority.tls()) as client:
        failure = await failed(client, url, IN_THE_PAST)
    assert "1970-01-01 00:00 UTC" in failure.what
    assert "clock" in failure.hint


async def test_who_asks_the_time_needs_no_dates_but_names_and_chains(
    authority: Authority, tmp_path: Path
) -> None:
    context = authority.server_context(since=DAY, until=2 * DAY)
    async with a_server(context) as url:
        async with HubClient(authority.tls(), dated=False) as client:
            assert await fetched(client, url) == "nobody"
        async with HubClient(Authority(tmp_path / "stranger").tls(), dated=False) as client:
            assert "authority" in (await failed(client, url)).what
    misnamed = authority.server_context(host="other.example")
    async with a_server(misnamed) as url, HubClient(authority.tls(), dated=False) as client:
        assert "another name" in (await failed(client, url)).what


async def test_the_gates_certificate_is_shown_and_a_renewed_one_counts(
    authority: Authority,
) -> None:
    async with (
        a_server(authority.server_context(asks=True)) as url,
        HubClient(authority.tls("gate")) as client,
    ):
        assert "certificate" in f"{await failed(client, url)}"
        authority.give("gate")
        assert "gate" in await fetched(client, url)


async def test_half_of_a_renewal_leaves_the_old_certificate_at_work(authority: Authority) -> None:
    authority.give("gate")
    async with (
        a_server(authority.server_context(asks=True)) as url,
        HubClient(authority.tls("gate")) as client,
    ):
        (authority.folder / "gate.crt").write_bytes(b"-----BEGIN CERT")
        assert "gate" in await fetched(client, url)
        assert "enrol" in client.problem
        authority.give("gate")
        assert "gate" in await fetched(client, url)
        assert not client.problem


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["none", "expired", "of a stranger"])
@pytest.mark.parametrize("alerts", [True, False])
async def test_a_refused_certificate_of_the_gate_is_told(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion, shown: str, *, alerts: bool
) -> None:
    tls = authority.tls("gate")
    if shown == "expired":
        authority.give("gate", since=-3 * DAY, until=-DAY)
    elif shown == "of a stranger":
        certificate, key = Authority(tmp_path / "stranger", "Stranger").give("gate")
        tls = HubTls(authority=authority.path, certificate=certificate, key=key)
    context = authority.server_context(asks=True)
    context.maximum_version = version
    # asyncio's own server ends such a connection without the alert that others send.
    server = an_alerting_server(context) if alerts else a_server(context)
    async with server as url, HubClient(tls) as client:
        failure = await failed(client, url)
    assert "certificate" in f"{failure}"
    if alerts:
        assert "certificate" in failure.what
        assert "enrol" in failure.hint


async def test_an_enrolled_authority_counts_once_it_is_there(
    authority: Authority, tmp_path: Path
) -> None:
    enrolled = tmp_path / "ca.crt"
    async with (
        a_server(authority.server_context()) as url,
        HubClient(HubTls(enrolled=enrolled)) as c,
    ):
        assert "authority" in (await failed(c, url)).what
        enrolled.write_bytes(authority.path.read_bytes())
        assert await fetched(c, url) == "nobody"


async def test_an_old_tls_is_refused(authority: Authority) -> None:
    context = authority.server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with an_alerting_server(context) as url, HubClient(authority.tls()) as client:
        assert "TLS" in (await failed(client, url)).what


async def test_a_plain_server_behind_https_is_told(authority: Authority) -> None:
    async with a_server(None) as url, HubClient(authority.tls()) as client:
        failure = await failed(client, url.replace("http:", "https:"))
    assert "no TLS" in failure.what
    assert "http://" in failure.hint


def test_a_file_without_certificates_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "empty.crt").write_text("nothing")
    for path in (tmp_path / "empty.crt", tmp_path / "missing.crt"):
        with pytest.raises(ConfigError) as caught:
            HubTls(authority=path).context()
        assert "hub.ca_file" in caught.value.hint


async def test_a_proxy_is_used_and_sees_no_more_than_where_to(authority: Authority) -> None:
    async with a_proxy() as proxy, a_server(authority.server_context()) as url:
        async with HubClient(authority.tls(), proxy=proxy.url) as client:
            assert await fetched(client, url) == "nobody"
        assert proxy.asked == [f"CONNECT {url[8:-1]} HTTP/1.1"]


async def test_the_environments_proxy_is_used_unless_another_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        a_proxy() as environment,
        a_proxy() as named,
        a_server(authority.server_context()) as url,
    ):
        monkeypatch.setenv("https_proxy", environment.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with HubClient(authority.tls(), proxy=named.url) as client:
            await fetched(client, url)
        assert (len(environment.asked), len(named.asked)) == (0, 1)
        async with HubClient(authority.tls()) as client:
            await fetched(client, url)
        assert (len(environment.asked), len(named.asked)) == (1, 1)


@pytest.mark.parametrize(("status", "what"), [(407, "login"), (403, "status 403"), (502, "502")])
async def test_a_proxy_that_refuses_is_told_without_its_password(
    authority: Authority, status: int, what: str
) -> None:
    async with a_proxy() as proxy, a_server(authority.server_context()) as url:
        proxy.status = status
        address = proxy.url.replace("//", "//user:s3cret@")
        async with HubClient(authority.tls(), proxy=address) as client:
            failure = await failed(client, url)
        assert proxy.login
    assert what in failure.what
    assert "s3cret" not in f"{failure}"


async def test_a_proxy_that_is_not_there_is_told(authority: Authority) -> None:
    async with HubClient(authority.tls(), proxy="http://user:s3cret@127.0.0.1:1") as client:
        failure = await failed(client, "https://127.0.0.1:2/")
    assert "proxy" in failure.what
    assert "s3cret" not in f"{failure}"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://127.0.0.1:1", "nothing listens"),
        ("http://nowhere.invalid", "name is not found"),
        ("nonsense", "address"),
    ],
)
async def test_a_hub_that_is_not_there_is_told(url: str, what: str) -> None:
    async with HubClient() as client:
        failure = await failed(client, url)
    assert what in failure.what
    assert failure.hint
