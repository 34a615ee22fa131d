"""Whoever begins TLS and does not end it keeps nobody out: over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from hub.authority import create_authority, load_authority
from hub.clock import HubClock
from hub.server_certificate import ServerCertificate, TlsOptions
from hub.tls_connections import TlsConnections

LIMIT_S = 20
ASK = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


class Echo(asyncio.Protocol):
    """Stands for what answers once TLS is agreed on."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Door:
    def __init__(self, room: TlsConnections, port: int, authority: Path) -> None:
        self.room, self.port = room, port
        self.context = ssl.create_default_context(cafile=authority)
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self, **options: object) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("localhost", self.port, **options)  # type: ignore[arg-type]
        self.writers.append(writer)
        return reader

    async def answered(self) -> bool:
        reader = await self.connect(ssl=self.context)
        self.writers[-1].write(ASK)
        return await reader.readexactly(len(ASK)) == ASK


@asynccontextmanager
async def a_door(
    folder: Path, *, limit: int = 4, timeout_s: float = LIMIT_S
) -> AsyncIterator[Door]:
    clock = HubClock()
    create_authority(folder, clock.now())
    certificate = ServerCertificate(
        folder, load_authority(folder), TlsOptions(("localhost",)), clock
    )
    room = TlsConnections(Echo, certificate.context, limit=limit, timeout_s=timeout_s)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT_S):
        server = await loop.create_server(room, "localhost", 0)
        door = Door(room, server.sockets[0].getsockname()[1], folder / "ca.crt")
        try:
            yield door
        finally:
            for writer in door.writers:
                writer.close()
            server.close()
            room.close()
            await asyncio.sleep(0)


async def test_what_is_sent_with_the_last_word_is_not_lost(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door:
        for _ in range(20):
            assert await door.answered()
        assert len(door.room) == 0


async def test_the_oldest_silence_makes_room(tmp_path: Path) -> None:
    async with a_door(tmp_path, limit=4) as door:
        silent = [await door.connect() for _ in range(6)]
        assert await door.answered(), "with as many silent ones as there are places"
        assert await silent[0].read(1) == b""
        assert len(door.room) < 4


async def test_a_handshake_that_is_held_open_is_given_up(tmp_path: Path) -> None:
    async with a_door(tmp_path, timeout_s=0.05) as door:
        silent = await door.connect()
        assert await silent.read(1) == b""
        assert len(door.room) == 0


@pytest.mark.parametrize("said", [ASK, b"\x16\x03\x01\xff\xff" + b"\x00" * 200, b"\x00" * 70_000])
async def test_who_speaks_no_tls_is_closed(tmp_path: Path, said: bytes) -> None:
    async with a_door(tmp_path) as door:
        stranger = await door.connect()
        door.writers[-1].write(said)
        with suppress(ConnectionError):
            await stranger.read()
        assert await door.answered()
        assert len(door.room) == 0
