"""`chot hub serve` as a process: announced, served, killed, started again, ended clean."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgpack
import pytest
from click.testing import CliRunner

from admission.orders import read_orders
from admission.upload import SIGNED_BATCH_CONTENT_TYPE, SIGNED_UPLOAD_PATH
from cache.replica.keys import load_public_keys, public_pem
from cache.replica.time_proof import NONCE_BYTES, TIME_PATH, verify_time
from hub.cli import hub
from hub.keys import HEAD_PUBLIC_KEY, load_keys
from hub.publish import Publisher
from hub.store.sqlite import open_store
from tests.hub.gates import DEVICE_KEY, a_signed_batch, entries_of
from tests.worlds import ROOT

LIMIT_S = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = str(tmp_path / "hub")
    (tmp_path / "device.pub").write_bytes(public_pem([DEVICE_KEY.public_key()]))
    for arguments in (
        ["init", "--data", root],
        ["synthesize", "--data", root, "--people", "200"],
        ["publish", "--data", root],
        ["device", "--data", root, "gate-1", "--public-key", str(tmp_path / "device.pub")],
    ):
        result = CliRunner().invoke(hub, arguments)
        assert result.exit_code == 0, result.output
    return tmp_path


@asynccontextmanager
async def a_hub(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    announcement = folder / "announce.json"
    announcement.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "serve", "--data", str(folder / "hub"), "--port", "0"),
        *("--vouch-interval", "0.1", "--announce", str(announcement), "--exit-with-parent"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            # Its first line says where it listens, and comes after the announcement.
            assert b"Hub at http" in await process.stderr.readline()
        yield process, json.loads(announcement.read_text())["url"]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def upload(session: aiohttp.ClientSession, url: str, first: int, last: int) -> int:
    headers = {"Content-Type": SIGNED_BATCH_CONTENT_TYPE, "Content-Encoding": "zstd"}
    body = a_signed_batch(entries_of(last)[first - 1 :])
    async with session.post(url + SIGNED_UPLOAD_PATH, data=body, headers=headers) as answer:
        assert answer.status == 200
        return int(msgpack.unpackb(msgpack.unpackb(await answer.read())[0])[3])


async def test_what_was_acknowledged_survives_a_kill(folder: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with a_hub(folder) as (process, url):
            assert await upload(session, url, 1, 20) == 20
            process.kill()
            assert await process.wait() == -signal.SIGKILL
        async with a_hub(folder) as (process, url):
            assert await upload(session, url, 15, 25) == 25
            assert process.stdin is not None
            process.stdin.close()  # as when the process that started it has died
            async with asyncio.timeout(LIMIT_S):
                assert await process.wait() == 0
    async with open_store(folder / "hub" / "hub.db") as store:
        held = await store.count("gate-1")
    assert (held.entries, held.distinct, held.conflicts) == (25, 25, 0)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_vouches_again_until_it_ends_clean(folder: Path, how: signal.Signals) -> None:
    async with a_hub(folder) as (process, url), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/healthz") as answer:
            assert answer.status == 200
        async with session.get(f"{url}{TIME_PATH}?nonce={bytes(NONCE_BYTES).hex()}") as answer:
            trusted = load_public_keys(folder / "hub" / "keys" / HEAD_PUBLIC_KEY)
            assert verify_time(await answer.read(), bytes(NONCE_BYTES), trusted) > 0
        async with asyncio.timeout(LIMIT_S):
            heads: set[bytes] = set()
            while len(heads) < 3:
                async with session.get(f"{url}/replica/head") as answer:
                    heads.add(await answer.read())
            process.send_signal(how)
            _, errors = await process.communicate()
        assert process.returncode == 0
        assert b"Traceback" not in errors
        assert not (folder / "announce.json").exists()


async def test_a_running_hub_publishes_what_changes_by_itself(folder: Path) -> None:
    root = folder / "hub"
    people = "document,doses\n000190000001,2\n"
    order = ("--district", "760", "--directive", "16", "--from", "2021-09-16T00:00+07:00")
    publisher = Publisher(root / "published", load_keys(root / "keys"))
    async with a_hub(folder) as (_, url), aiohttp.ClientSession() as session:
        before = publisher.published()
        for arguments, typed in (
            (["directive", "set", "--data", str(root), *order], None),
            (["import", "persons", "--data", str(root), "-"], people),
        ):
            result = await asyncio.to_thread(CliRunner().invoke, hub, arguments, input=typed)
            assert result.exit_code == 0, result.output
        async with asyncio.timeout(LIMIT_S):
            while True:
                head = publisher.published()
                assert before is not None
                assert head is not None
                if head.documents and head.datasets != before.datasets:
                    break
                await asyncio.sleep(0.05)
        name = head.documents["orders"].name
        async with session.get(f"{url}/replica/documents/{name}.document") as answer:
            assert answer.headers["Cache-Control"].endswith("immutable")
            assert read_orders(await answer.read()).orders[0].directive == 16
        async with session.get(f"{url}/healthz") as answer:
            assert answer.status == 200
