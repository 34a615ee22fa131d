"""`chot scan` on live sources: the same doors that a lane's readings come through."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from admission.reading import Reading
from admission.repeat import Presentations
from appliance.camera_door import CameraDoor, Deliver, SourceDied
from appliance.camera_table import CameraSourceTable
from appliance.cameras import camera_of
from appliance.cli.demo_camera import demo_camera, is_demo
from appliance.cli.preview_option import PreviewAddress
from appliance.cli.scan_keypad import (
    KEYPAD_NAME,
    StandardInputDoor,
    check_standard_input,
    keypad_door,
)
from appliance.cli.scan_preview import previewed, start
from appliance.cli.scan_report import Finding, Found, Report, fault
from appliance.cli.scan_serial import tell
from appliance.errors import ConfigError
from appliance.inbox import Inbox
from appliance.plugging import Plugging
from appliance.serial_table import SerialSourceTable, baud_of
from appliance.sources import Source, open_source
from appliance.web.preview_screen import PreviewScreen
from appliance.wedge_table import WedgeSourceTable
from scanner.errors import KeypadError, ScannerError
from scanner.input_events import open_keyboard
from scanner.serial.port import Port

LiveTable = CameraSourceTable | SerialSourceTable | WedgeSourceTable
_LOSS_POLL_S = 0.25


def watch(
    tables: Sequence[LiveTable],
    report: Report,
    monotonic_ns: Callable[[], int],
    *,
    keypad: bool = False,
    seconds: float | None = None,
    preview: PreviewAddress | None = None,
    told: str | None = None,
) -> bool:
    """Report readings until `seconds` have passed, for ever if None, or until Ctrl-C.

    Return whether any source could be opened. Ctrl-C is how a watch without an end is ended, so it
    is no error here; nor are SIGTERM and SIGHUP.

    :param keypad: take codes typed at standard input, too.
    :param preview: where to serve a page that shows what the cameras see; None for no page.
    :param told: what serial scanners are told once they are there (a `Capability`).
    :raises ApplianceError: if the page cannot be served there.
    :raises BrokenPipeError: nobody reads the output any more.
    """
    keypad = keypad and _is_typed(report)
    present = [table for table in tables if _is_there(table, report, monotonic_ns)]
    if not (present or keypad):
        return False
    closed: ExceptionGroup[BrokenPipeError] | None = None
    try:
        watching = _watch(
            present,
            report,
            monotonic_ns,
            keypad=keypad,
            seconds=seconds,
            preview=preview,
            told=told,
        )
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(watching)
    except* BrokenPipeError as group:
        closed = group
    if closed is not None:
        # Alone, as the command's edge knows it: whoever read the output has had enough.
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from closed
    return True


def _is_there(table: LiveTable, report: Report, monotonic_ns: Callable[[], int]) -> bool:
    """Open the device once, so that what is wrong is said at once: a source tries for ever."""
    try:
        if isinstance(table, SerialSourceTable):
            Port(table.port, baud_of(table)).close()
        elif isinstance(table, WedgeSourceTable):
            open_keyboard(table.device).close()
        elif not is_demo(table):
            camera = camera_of(table, monotonic_ns)
            camera.open()
            camera.close()
    except (ScannerError, ConfigError) as error:
        report.add(fault(table.name, error))
        return False
    return True


def _is_typed(report: Report) -> bool:
    try:
        check_standard_input()
    except KeypadError as error:
        report.add(fault(KEYPAD_NAME, error))
        return False
    return True


async def _watch(
    tables: Sequence[LiveTable],
    report: Report,
    monotonic_ns: Callable[[], int],
    *,
    keypad: bool,
    seconds: float | None,
    preview: PreviewAddress | None,
    told: str | None,
) -> None:
    _end_when_told()
    cameras = dict.fromkeys(t.name for t in tables if isinstance(t, CameraSourceTable))
    async with previewed(tuple(cameras), preview, monotonic_ns) as screen:
        await _read(
            tables,
            report,
            monotonic_ns,
            keypad=keypad,
            seconds=seconds,
            screen=screen,
            told=told,
        )


def _end_when_told() -> None:
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _read(
    tables: Sequence[LiveTable],
    report: Report,
    monotonic_ns: Callable[[], int],
    *,
    keypad: bool,
    seconds: float | None,
    screen: PreviewScreen | None,
    told: str | None,
) -> None:
    inbox = Inbox(asyncio.get_running_loop())
    rng = random.Random()  # noqa: S311 - jitter, no secret

    def deliver(reading: Reading) -> None:
        inbox.offer(reading)  # one turned away is sighted again
        if screen is not None:
            screen.heard(reading)

    sources = [_source(each, deliver, monotonic_ns, rng, screen) for each in tables]
    if keypad:
        sources.append(keypad_door(deliver, monotonic_ns, rng))
    start(screen, sources)
    async with asyncio.TaskGroup() as group:
        group.create_task(show(inbox, report, monotonic_ns))
        plugging = Plugging(sources, draw=rng.random, tell=lambda _: None)
        works = [_tell_losses(sources, report), plugging.run()]
        works += [tell(sources, told, report)] if told else []
        beside = [group.create_task(work) for work in works]
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds), asyncio.TaskGroup() as reading:
                    for source in sources:
                        reading.create_task(_run(source, report), name=source.name)
        finally:
            for task in beside:
                task.cancel()
            inbox.close()


def _source(
    table: LiveTable,
    deliver: Deliver,
    monotonic_ns: Callable[[], int],
    rng: random.Random,
    screen: PreviewScreen | None,
) -> Source:
    looked = screen.looked(table.name) if screen and isinstance(table, CameraSourceTable) else None
    if is_demo(table):
        return CameraDoor(
            demo_camera(monotonic_ns),
            table.name,
            deliver,
            monotonic_ns=monotonic_ns,
            draw=rng.random,
            looked=looked,
        )
    return open_source(table, deliver, monotonic_ns=monotonic_ns, rng=rng, looked=looked)


async def _run(source: Source, report: Report) -> None:
    try:
        await source.run()
    except (SourceDied, KeypadError) as error:  # the other sources go on
        report.add(fault(source.name, error))


async def show(inbox: Inbox, report: Report, monotonic_ns: Callable[[], int]) -> None:
    """Report what arrives, each code once per source and presentation, until the inbox closes."""
    held: dict[str, Presentations] = {}
    while (reading := await inbox.next()) is not None:
        presentations = held.setdefault(reading.source, Presentations())
        if presentations.begins_presentation(reading.text, reading.captured_ns):
            found = Found(reading.text, reading.symbology, reading.rung)
            ms = (monotonic_ns() - reading.captured_ns) / 1e6
            report.add(Finding(reading.source, (found,), ms))


async def _tell_losses(sources: Sequence[Source], report: Report) -> None:
    told: dict[str, str] = {}
    while True:
        for source in sources:
            if isinstance(source, StandardInputDoor):
                continue  # its loss is its end, and said there
            why = source.failure
            if not source.up and why and told.get(source.name) != why:
                told[source.name] = why
                report.add(Finding(source.name, error=why, hint="it is opened again by itself"))
        await asyncio.sleep(_LOSS_POLL_S)
