"""`chot scan --serial`: ports by name, or found, and how their scanners are set found out, too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial

import click
from rich.console import Console
from rich.status import Status

from appliance.cli.scan_report import Report, fault, printable
from appliance.serial_table import SerialSourceTable
from appliance.sources import ScannerDoor, Source
from scanner.errors import ScannerError
from scanner.serial.detecting import Patience, ask, find_ports, first_heard, listen
from scanner.serial.detection import Guess, Heard, plausibility
from scanner.serial.line import LineEnd
from scanner.serial.marked import MarkedPort
from scanner.serial.profiles import Capability
from scanner.serial.source import OpenPort

AUTO = "auto"
TELL_POLL_S = 0.05


class SerialDetection:
    """What `auto` needs: where to say what is going on, and how ports are opened and waited for.

    :param asking: whether scanners are asked who they are; else they are only listened to.
    :param seconds: how long codes are waited for; for ever if None.
    """

    def __init__(
        self,
        report: Report,
        *,
        asking: bool,
        seconds: float | None,
        as_json: bool,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        open_port: OpenPort = MarkedPort,
    ) -> None:
        self._report = report
        self._asking = asking
        self._seconds = seconds
        self._as_json = as_json
        self._patience = patience
        self._open_port = open_port
        self._console = Console(stderr=True, highlight=False)

    def tables(
        self, ports: Sequence[str], baud: int | None, profile: str
    ) -> list[SerialSourceTable]:
        """Return a table for each of `ports`: as named, or as `auto[:PORT]` is found to be."""
        tables: list[SerialSourceTable] = []
        for port in ports:
            if port == AUTO:
                tables += self._found(find_ports())
            elif port.startswith(f"{AUTO}:"):
                tables += self._found([port.removeprefix(f"{AUTO}:")])
            else:
                tables.append(
                    SerialSourceTable(port, port, baud=baud, profile=profile)  # type: ignore[arg-type]
                )
        return tables

    def _found(self, ports: Sequence[str]) -> list[SerialSourceTable]:
        if not ports:
            hint = "plug the scanner in, set to 'USB COM' or 'virtual serial port', not to keyboard"
            self._report.add(fault(AUTO, ScannerError("there are no serial ports", hint=hint)))
            return []
        found = asyncio.run(self._detect(ports))
        if not found:
            hint = "scan a code several times; if nothing helps, set --baud as in its manual"
            self._report.add(fault(AUTO, ScannerError("no scanner was understood", hint=hint)))
        tables = [table_of(port, guess) for port, guess in found]
        for number, (table, (_, guess)) in enumerate(zip(tables, found, strict=True), 1):
            self._tell(table, guess, number)
        return tables

    async def _detect(self, ports: Sequence[str]) -> list[tuple[str, Guess]]:
        with self._console.status("looking for serial scanners …") as status:
            usable = list(ports)
            found: list[tuple[str, Guess]] = []
            if self._asking:
                usable, told = await self._ask_all(ports, status)
                found += told
            if found or not usable:
                return found
            heard = await self._listen_to(usable, status)
            return [heard] if heard else []

    async def _ask_all(
        self, ports: Sequence[str], status: Status
    ) -> tuple[list[str], list[tuple[str, Guess]]]:
        usable, found = [], []
        for port in ports:

            def progress(baud: int, port: str = port) -> None:
                status.update(f"asking {printable(port)} at {baud} baud …")

            try:
                guess = await ask(
                    port, patience=self._patience, open_port=self._open_port, progress=progress
                )
            except ScannerError as error:
                self._report.add(fault(port, error))
                continue
            usable.append(port)
            if guess is not None:
                found.append((port, guess))
        return usable, found

    async def _listen_to(self, ports: Sequence[str], status: Status) -> tuple[str, Guess] | None:
        status.update("scan any code, again and again, until its scanner is understood …")
        tasks = []
        for port in ports:
            listening = listen(
                port,
                patience=self._patience,
                open_port=self._open_port,
                heard=partial(self._heard, port),
            )
            tasks.append((port, asyncio.create_task(listening)))
        try:
            async with asyncio.timeout(self._seconds):
                return await first_heard(tasks)
        except TimeoutError:
            return None
        except ScannerError as error:
            self._report.add(fault(AUTO, error))
            return None

    def _heard(self, port: str, scan: Heard) -> None:
        bytes_heard = len(scan.data) + scan.errors
        self._console.print(
            f"{printable(port)} at {scan.baud} baud: {bytes_heard} bytes,"
            f" {plausibility(scan):.0%} plausible",
            markup=False,
        )

    def _tell(self, table: SerialSourceTable, guess: Guess, number: int) -> None:
        if self._as_json:
            click.echo(json.dumps({"source": table.port, "found": _settings(table)}))
            return
        how = "it says so itself" if guess.told else "by how its scans sound"
        click.echo(f"# found ({how}); paste this into the lane's configuration:")
        click.echo(toml_of(table, number))


async def tell(sources: Sequence[Source], what: str, report: Report) -> None:
    """Tell each serial scanner `what` (a `Capability`) once it is there."""
    for source in sources:
        if isinstance(source, ScannerDoor):
            while not source.up:  # noqa: ASYNC110 - its coming has no event here
                await asyncio.sleep(TELL_POLL_S)
            if not source.command(Capability(what)):
                hint = "see the table of profiles in docs/serial-scanners.md"
                report.add(
                    fault(source.name, ScannerError(f"its profile knows no {what}", hint=hint))
                )


def table_of(port: str, guess: Guess) -> SerialSourceTable:
    """Return the table of a scanner that was found at `port`."""
    return SerialSourceTable(
        port,
        port,
        baud=guess.baud,
        profile=guess.profile,  # type: ignore[arg-type]
        line_end=guess.line_end,
        gap_s=0.1 if guess.line_end is LineEnd.GAP else None,
    )


def toml_of(table: SerialSourceTable, number: int) -> str:
    """Return the lines of a configuration that make this source, the `number`-th of its lane."""
    lines = ["[[lane.sources]]", 'kind = "serial"', f'name = "scanner-{number}"']
    for key, value in _settings(table).items():
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def _settings(table: SerialSourceTable) -> dict[str, str | int | float]:
    shown: dict[str, str | int | float] = {"port": table.port, "profile": table.profile}
    if table.baud is not None:
        shown["baud"] = table.baud
    if table.line_end is not None:
        shown["line_end"] = table.line_end.value
    if table.gap_s is not None:
        shown["gap_s"] = table.gap_s
    return shown
