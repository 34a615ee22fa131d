"""One running hub: the store, the application on a socket, and the task that vouches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from admission.ports import Clock
from hub.access import JsonAccessLogger, log
from hub.app import application
from hub.connections import HEAD_TIMEOUT_S, MAX_CONNECTIONS, Connections, allow_open_files
from hub.daily_heads import DailyHeadsTask
from hub.documents import put_recipient
from hub.enrolment_serving import enrolling
from hub.errors import HubError
from hub.examination.task import Examination, bench_of
from hub.folder import DataFolder
from hub.keys import load_keys
from hub.metrics import HubMetrics
from hub.publication import Publication, publishing_in_another_process
from hub.publish import Publisher
from hub.release import Release
from hub.retention import Retention
from hub.seals import Seals
from hub.server_certificate import ServerCertificate, TlsOptions
from hub.store.sqlite import open_store
from hub.trust_repository import ROOT_ALARM, TrustRepository
from hub.vouching import Vouching

SHUTDOWN_TIMEOUT_S = 1.0
"""How long requests under way may take to end."""
KEEPALIVE_TIMEOUT_S = 75.0
HANDSHAKE_TIMEOUT_S = 10.0
"""How long a client may take to agree on TLS."""


class ServeOptions(msgspec.Struct, frozen=True):
    """How to serve. Port 0 lets the system pick one."""

    host: str = "127.0.0.1"
    port: int = 8470
    vouch_interval_s: float = 5.0
    tls: TlsOptions | None = None


@asynccontextmanager
async def serving(folder: DataFolder, options: ServeOptions, clock: Clock) -> AsyncIterator[str]:
    """Serve for the length of a context; yield the base URL once connections are accepted.

    :raises HubError: if the folder is no hub's or another hub serves it, or the address can't be
        listened on.
    """
    allow_open_files()
    folder.require()
    folder.create()
    metrics = HubMetrics()
    keys = load_keys(folder.keys)
    publisher = Publisher(folder.published, keys)
    trust = TrustRepository(folder.replica, keys)
    vouching = Vouching(publisher.revouch, clock, metrics, interval_s=options.vouch_interval_s)
    with folder.served():
        async with open_store(folder.database) as store:
            await store.settle_entries()
            await put_recipient(store, keys.seals)
            if keys.seals.present is None:
                log.warning("gates write down nobody: there is no key for seals; run chot hub init")
            publication = Publication(
                Release(store, publisher), clock, publishing_in_another_process(folder.root)
            )
            app = application(
                store,
                folder.replica,
                clock,
                metrics,
                head_key=keys.head,
                seal_keys=Seals.of(keys),
                problem=lambda: (
                    vouching.problem
                    or publication.problem
                    or retention.problem
                    or trust.problem(clock.now(), within=ROOT_ALARM)
                    or (certificate.problem if certificate is not None else "")
                ),
            )
            examination = Examination(
                bench_of(store, folder, keys, publisher), store, clock, metrics
            )
            daily_heads = DailyHeadsTask(
                store,
                folder.replica,
                keys.head,
                clock,
                metrics,
                clock_problem=lambda: publisher.clock_problem(clock.now()),
            )
            retention = Retention(
                store,
                clock,
                metrics,
                keep_days=lambda: folder.keep_days,
                clock_problem=lambda: publisher.clock_problem(clock.now()),
            )
            certificate = enrolling(app, store, folder, options.tls, clock)
            await _vouch_first(vouching)
            async with (
                listening(app, options.host, options.port, certificate=certificate) as url,
                _beside(
                    vouching.run(),
                    publication.run(),
                    examination.run(),
                    daily_heads.run(),
                    retention.run(),
                    *([certificate.run()] if certificate is not None else []),
                ),
            ):
                yield url


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    *,
    certificate: ServerCertificate | None = None,
    max_connections: int = MAX_CONNECTIONS,
    head_timeout_s: float = HEAD_TIMEOUT_S,
) -> AsyncIterator[str]:
    """Put an application on a socket for the length of a context; yield its base URL.

    :param certificate: for HTTPS; plain HTTP without one.
    :raises HubError: if the address can't be listened on.
    """
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    assert runner.server is not None  # noqa: S101 what `setup` has just made
    connections = Connections(
        runner.server,
        {
            # The library would inflate bodies without a bound; `hub.body` does it with one.
            "auto_decompress": False,
            "access_log": log,
            "access_log_class": JsonAccessLogger,
            "keepalive_timeout": KEEPALIVE_TIMEOUT_S,
        },
        limit=max_connections,
        head_timeout_s=head_timeout_s,
    )
    try:
        listener = await _listen(connections, host, port, certificate)
        try:
            yield _url(listener, certificate)
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(
    connections: Connections, host: str, port: int, certificate: ServerCertificate | None
) -> asyncio.Server:
    tls: dict[str, Any] = {}
    if certificate is not None:
        tls = {"ssl": certificate.context, "ssl_handshake_timeout": HANDSHAKE_TIMEOUT_S}
    try:
        return await asyncio.get_running_loop().create_server(connections, host, port, **tls)
    except (OSError, OverflowError) as error:
        msg = f"cannot listen on {host} port {port}: {error}"
        raise HubError(msg, hint="choose another --host or --port; port 0 is any") from error


@asynccontextmanager
async def _beside(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do work for the length of a context. Work that dies takes the hub down, loudly."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except ExceptionGroup as error:
        # An error of ours is shown as one, not as a group of one.
        if len(error.exceptions) == 1 and isinstance(error.exceptions[0], HubError):
            raise error.exceptions[0] from error.exceptions[0].__cause__
        raise


async def _vouch_first(vouching: Vouching) -> None:
    try:
        await vouching.once()
    except HubError as error:
        # A hub without a release still has entries to take: the health check says what is missing.
        log.warning("no head to vouch for: %s", error)


def _url(listener: asyncio.Server, certificate: ServerCertificate | None) -> str:
    host, port = listener.sockets[0].getsockname()[:2]
    scheme = "http"
    if certificate is not None:
        scheme, host = "https", certificate.host or host
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"
