"""The hub's doors over real sockets, with honest gates and hostile ones."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from cache.replica.source import FileKind, path_of
from hub.access import JsonFormatter
from hub.errors import StoreError
from tests.hub.doors import Hub, a_hub, refusal
from tests.hub.gates import a_signed_batch, entries_of


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as world:
        yield world


GOOD = a_signed_batch(entries_of(5))


async def test_failures_inside_tell_the_gate_to_come_again_and_nothing_else(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreError("disk sda1 is full", hint="secret hint")

    monkeypatch.setattr(hub.store, "add_entries", broken)
    status, message = refusal(await hub.send(GOOD))
    assert status == 503
    assert "sda1" not in message

    async def buggy(*_: object) -> None:
        raise ZeroDivisionError("token=abc")

    monkeypatch.setattr(hub.store, "add_entries", buggy)
    status, message = refusal(await hub.send(GOOD))
    assert status == 500
    assert "token" not in message


async def test_unknown_paths_and_methods_are_refused_shortly(hub: Hub) -> None:
    for method, path, status in (
        ("GET", "/v2/entries", 405),
        ("POST", "/v1/entries", 404),
        ("GET", "/nothing", 404),
        ("GET", "/replica/../../etc/passwd", 404),
        ("GET", "/replica/%2e%2e/%2e%2e/etc/passwd", 404),
    ):
        async with hub.session.request(
            method, aiohttp.client.URL(hub.url + path, encoded=True)
        ) as answer:
            assert refusal((answer.status, await answer.read()))[0] == status
    assert "/nothing" not in hub.metrics.exposition().decode(), "labels stay bounded"


async def test_nothing_but_head_and_segments_is_served(hub: Hub) -> None:
    segments = hub.published / "segments"
    segments.mkdir()
    name = "ab" * 32
    for path in (hub.published / ".lock", segments / "build.part", segments / f"{name}.part"):
        path.write_bytes(b"the publisher's own")
    for path in (".lock", "segments/build.part", f"segments/{name}.part", "segments/", "", "head"):
        async with hub.session.get(f"{hub.url}/replica/{path}") as answer:
            assert refusal((answer.status, await answer.read()))[0] == 404
    for path in ("x" * 7_000, f"segments/{name}.segment", "segments/" + "a" * 7_000 + ".segment"):
        async with hub.session.get(f"{hub.url}/replica/{path}") as answer:
            assert refusal((answer.status, await answer.read()))[0] == 404


async def test_published_files_answer_conditional_and_range_requests(hub: Hub) -> None:
    (hub.published / "head").write_bytes(b"head bytes")
    async with hub.session.get(f"{hub.url}/replica/head") as answer:
        assert await answer.read() == b"head bytes"
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
    async with hub.session.get(f"{hub.url}/replica/head", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    for kind in FileKind:
        path = path_of(kind, "ab" * 32)
        (hub.published / path).parent.mkdir()
        (hub.published / path).write_bytes(bytes(range(100)))
        for asked, got in {"90-": (90, 100), "5-6": (5, 7)}.items():
            async with hub.session.get(
                f"{hub.url}/replica/{path}", headers={"Range": f"bytes={asked}"}
            ) as answer:
                assert answer.status == 206
                assert "immutable" in answer.headers["Cache-Control"]
                assert answer.headers["Content-Range"] == f"bytes {got[0]}-{got[1] - 1}/100"
                assert await answer.read() == bytes(range(*got))


async def test_trust_metadata_is_served_and_lasts_where_its_name_has_a_version(hub: Hub) -> None:
    (hub.published / "metadata").mkdir()
    lasting = {"1.root.json", "12.snapshot.json", f"{'ab' * 32}.head-keys.pem"}
    for name in {*lasting, "timestamp.json", "..json", "targets.key", "1.root.json.tmp"}:
        (hub.published / "metadata" / name).write_bytes(name.encode())
        async with hub.session.get(f"{hub.url}/replica/metadata/{name}") as answer:
            if name in {"..json", "targets.key", "1.root.json.tmp"}:
                assert answer.status == 404
                continue
            assert await answer.read() == name.encode()
            assert ("immutable" in answer.headers["Cache-Control"]) == (name in lasting)


async def test_health_says_what_is_wrong(hub: Hub) -> None:
    async with hub.session.get(f"{hub.url}/healthz") as answer:
        assert answer.status == 200
    hub.problem = "nothing is published yet"
    async with hub.session.get(f"{hub.url}/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["problem"] == hub.problem


async def test_the_access_log_holds_no_path(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "chot.hub")
    await hub.send(GOOD)
    async with hub.session.get(f"{hub.url}/someone/secret") as answer:
        assert answer.status == 404
    lines = [JsonFormatter().format(r) for r in caplog.records if r.name == "chot.hub"]
    assert [msgspec.json.decode(line)["status"] for line in lines] == [200, 404]
    assert msgspec.json.decode(lines[0])["device"] == "gate-1"
    assert not any("secret" in line or "someone" in line for line in lines)


def test_a_librarys_record_becomes_one_json_line_without_a_traceback() -> None:
    exc_info = (ValueError, ValueError("token=abc"), None)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "{odd\n%s", ("text",), exc_info)
    line = JsonFormatter().format(record)
    fields = msgspec.json.decode(line)
    assert (fields["event"], fields["error"]) == ("{odd\ntext", "ValueError")
    assert "abc" not in line
    assert "\n" not in line
