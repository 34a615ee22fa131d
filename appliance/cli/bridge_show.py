"""`chot bridge show`: what is connected, how it is configured, and what its contacts say now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from admission.gate import Input
from admission.signal import Output
from appliance.cli.bridge_link import bridge_to, linked
from appliance.cli.bridge_settings import said, settings_of
from appliance.cli.bridge_targets import Target, targets, which_boards
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import BoardEvent, BoardState, GateEvent

BEATS_S = 0.6
"""Two heartbeats: what is energised and the round trip are known after the first."""


@click.command("show", short_help="Say what is connected, and how it is.")
@which_boards
@click.option(
    "--follow",
    is_flag=True,
    help="Go on until Ctrl-C: print what inputs and gates do, which no journal gets.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document; with --follow, lines.")
def show_command(
    config: Path | None, lanes: tuple[str, ...], port: str, follow: bool, as_json: bool
) -> None:
    """Say what is connected: firmware, starts, outputs, inputs, configuration, round trip, errors.

    Nothing is lit or opened. Exits with 1 if a board does not answer.
    """
    chosen = targets(config, lanes, port)
    if follow and len(chosen) > 1:
        raise click.UsageError("--follow needs --lane or --port: it listens to one board")
    boards = [asyncio.run(_look(target)) for target in chosen]
    if as_json:
        click.echo(json.dumps(boards, ensure_ascii=False))
    else:
        for target, board in zip(chosen, boards, strict=True):
            Console().print(_table(target.title, board))
    if any("error" in board for board in boards):
        raise SystemExit(1)
    if follow:
        asyncio.run(_follow(chosen[0], as_json))


async def _look(target: Target) -> dict[str, Any]:
    bridge = bridge_to(target)
    found: dict[str, Any] = {"name": target.name, "at": target.port}
    try:
        async with linked(bridge, dark=False):
            await asyncio.sleep(BEATS_S)
            found |= described(bridge)
            found["configuration"] = settings_of(await bridge.read_configuration())
    except BridgeError as error:
        found |= {"error": str(error), "hint": error.hint}
    return found


def described(bridge: McuBridge) -> dict[str, Any]:
    """Return what is known of a board that answered."""
    board, statistics = bridge.board, bridge.statistics()
    if board is None:
        return {}
    round_trip_ns = statistics.round_trip_ns
    return {
        "firmware": ".".join(map(str, board.firmware)),
        "boot_count": board.boot_count,
        "reset_cause": board.reset_cause.name.lower(),
        "configured": BoardState.STORED in board.state,
        "damaged": BoardState.DAMAGED in board.state,
        "jumper": BoardState.JUMPER in board.state,
        "outputs": _names(board.outputs),
        "energised": _names(bridge.energised),
        "inputs": {source.name.lower(): source in bridge.sensed for source in sorted(board.inputs)},
        "round_trip_ms": None if round_trip_ns is None else round(round_trip_ns / 1e6, 3),
        "errors": {
            "rejected_frames": statistics.rejected_frames,
            **{
                key: getattr(statistics.counters, key)
                for key in ("misunderstood", "retries", "board_resets")
            },
        },
    }


async def _follow(target: Target, as_json: bool) -> None:
    def tell(event: BoardEvent) -> None:
        fields = fields_of(event)
        if as_json:
            click.echo(json.dumps(fields))
        else:
            click.echo("  ".join(f"{key} {value}" for key, value in fields.items()))

    bridge = bridge_to(target, tell)
    async with linked(bridge, dark=False):
        while bridge.alive:  # noqa: ASYNC110 - a loss has no event here
            await asyncio.sleep(BEATS_S)
    if bridge.last_error is not None:
        raise bridge.last_error


def fields_of(event: BoardEvent) -> dict[str, Any]:
    """Return an event as a line of `--follow` says it."""
    if isinstance(event, GateEvent):
        fields: dict[str, Any] = {
            "gate": event.side.name.lower(),
            "outcome": event.outcome.name.lower(),
        }
    else:
        fields = {"input": event.input.name.lower(), "active": bool(event.value)}
    return fields | {"board_ms": event.board_ms, "lost": event.lost}


def _names(members: Iterable[Output] | Iterable[Input]) -> list[str]:
    return [member.name.lower() for member in sorted(members)]


def _table(title: str, board: dict[str, Any]) -> Table:
    table = Table(show_header=False, title=title)
    for key, value in board.items():
        if key == "inputs":
            states = {name: "ACTIVE" if active else "at rest" for name, active in value.items()}
            table.add_row(key, _cell(states))
        elif key not in ("name", "at"):
            table.add_row(key.replace("_", " "), _cell(value))
    return table


def _cell(value: Any) -> str:
    """Return a value in words; what has keys is a list of lines."""
    if isinstance(value, dict):
        return "\n".join(f"{key.replace('_', ' ')}: {said(item)}" for key, item in value.items())
    return said(value)
