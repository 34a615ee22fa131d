"""A hub on a socket of its own, for tests of what its doors answer."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.upload import SIGNED_BATCH_CONTENT_TYPE, SIGNED_UPLOAD_PATH
from hub.app import application
from hub.metrics import HubMetrics
from hub.server import listening
from hub.store.devices import Device
from tests.hub.gates import DEVICE_KEY
from tests.hub.memory_store import MemoryStore
from tests.worlds import ManualClock

HEAD_KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)


class Hub:
    """A hub on a socket of its own, a client of it, and what a test may look at or break."""

    def __init__(self, published: Path) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.metrics = HubMetrics()
        self.published = published
        self.problem = ""
        self.url = ""
        self.session: aiohttp.ClientSession

    async def send(
        self, body: bytes | io.BytesIO | AsyncIterator[bytes], **headers: str
    ) -> tuple[int, bytes]:
        """Post a signed batch."""
        sent = {
            "Content-Type": SIGNED_BATCH_CONTENT_TYPE,
            "Content-Encoding": "zstd",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        url = self.url + SIGNED_UPLOAD_PATH
        async with self.session.post(url, data=body, headers=sent) as answer:
            return answer.status, await answer.read()

    async def register(self, name: str, key: Ed25519PublicKey, **others: Any) -> None:
        device = await self.store.device_by_name(name) or Device(name=name, enrolled_ns=1)
        known = msgspec.structs.replace(device, public_key=key.public_bytes_raw(), **others)
        await self.store.put_device(known)


@asynccontextmanager
async def a_hub(published: Path) -> AsyncIterator[Hub]:
    world = Hub(published)
    await world.register("gate-1", DEVICE_KEY.public_key())
    app = application(
        world.store,
        published,
        world.clock,
        world.metrics,
        head_key=HEAD_KEY,
        problem=lambda: world.problem,
    )
    async with listening(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        world.url, world.session = url, session
        yield world


def refusal(answer: tuple[int, bytes]) -> tuple[int, str]:
    status, body = answer
    assert len(body) < 200, "a refusal is short"
    assert b"Traceback" not in body
    return status, msgspec.json.decode(body)["error"]
