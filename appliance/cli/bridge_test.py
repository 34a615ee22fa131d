"""`chot bridge test`: a technician sees and hears each signal, and tries each gate and input."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from admission.certlogic_words import Language
from appliance.bridge_tables import configuration_of, outputs_of
from appliance.cli.bridge_answers import Finding, Result
from appliance.cli.bridge_course import COURSE, Course, Heard, without_gate
from appliance.cli.bridge_link import DARK, bridge_to, linked
from appliance.cli.bridge_targets import Target, targets, which_boards
from appliance.cli.bridge_terminal import NoTerminal, StandardTerminal
from appliance.cli.bridge_words import SIGNALS, WORDS, index_of
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.messages import BoardState

EXIT_INTERRUPTED = 130
_STYLES = {
    Result.SEEN: ("✓", "green"),
    Result.OTHERWISE: ("✗", "red"),
    Result.SKIPPED: ("–", "yellow"),
}


@click.command("test", short_help="Try signals, gates, inputs; ask what was seen.")
@which_boards
@click.option(
    "--automatic",
    is_flag=True,
    help="Ask nobody: show each signal and check that it is acknowledged. No gate is opened.",
)
@click.option("--no-gate", is_flag=True, help="Leave the gates out.")
@click.option("--language", type=click.Choice(["vi", "en"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what was seen as JSON.")
def test_command(
    *,
    config: Path | None,
    lanes: tuple[str, ...],
    port: str,
    automatic: bool,
    no_gate: bool,
    language: Any,
    as_json: bool,
) -> None:
    """Walk through every signal, gate and input of a board, and ask what was seen and heard.

    A gate is opened only after you said that it is clear of people. However it ends, everything is
    off within a second. Exits with 1 if something was not seen as it should be, or was left out.
    """
    findings: dict[str, list[Finding]] = {}
    settings = {"automatic": automatic, "gates": not no_gate, "language": language}
    try:
        for target in targets(config, lanes, port):
            found = findings.setdefault(target.name, [])
            asyncio.run(_test(target, found.append, **settings))
    except KeyboardInterrupt:
        _print_all(findings, language, as_json=as_json, ended=False)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except NoTerminal:
        _print_all(findings, language, as_json=as_json, ended=False)
        raise
    _print_all(findings, language, as_json=as_json, ended=True)
    if not all(_well(found) for found in findings.values()):
        raise SystemExit(1)


async def _test(
    target: Target,
    found: Callable[[Finding], None],
    *,
    automatic: bool,
    gates: bool,
    language: Language,
) -> None:
    heard = Heard()
    bridge = bridge_to(target, heard.add)
    with contextlib.ExitStack() as stack:
        terminal = None if automatic else stack.enter_context(StandardTerminal(sys.stdin))
        try:
            async with linked(bridge):
                found(_configured(target, bridge, language))
                if terminal is None:
                    await acknowledged(bridge, language, found)
                    return
                terminal.tell(WORDS["begin"][index_of(language)].format(name=target.name))
                pulse_ms = target.gate.pulse_ms
                course = Course(bridge, heard, terminal, language, pulse_ms=pulse_ms, gates=gates)
                await course.walk(found)
        except BridgeError as error:  # this board is lost; the next one is tried all the same
            what, expected = (WORDS[key][index_of(language)] for key in ("link", "answers"))
            found(Finding(what, expected, f"{error}: {error.hint}", Result.OTHERWISE))


async def acknowledged(
    bridge: McuBridge, language: Language, found: Callable[[Finding], None]
) -> None:
    """Show each signal without its gate; tell `found` whether the board acknowledged it."""
    index = index_of(language)
    expected = WORDS["acknowledged"][index]
    for signal in COURSE:
        seen, result = expected, Result.SEEN
        try:
            await bridge.show(without_gate(signal))
            await bridge.show(DARK)
        except BridgeError as error:
            seen, result = str(error), Result.OTHERWISE
        found(Finding(SIGNALS[signal.name][index], expected, seen, result))


def _configured(target: Target, bridge: McuBridge, language: Language) -> Finding:
    """Return whether the board is configured as the site's file has it."""
    index = index_of(language)
    wanted, board = configuration_of(target.table, target.gate), bridge.board
    expected, seen, result = "as_in_file", "other", Result.OTHERWISE
    if board is None or BoardState.DAMAGED in board.state:
        seen = "damaged"
    elif outputs_of(target.table.requires) - board.outputs:
        seen = "lacks"
    elif wanted is None:
        expected = seen = "undamaged"
        result = Result.SEEN
    elif board.fingerprint == wanted.fingerprint:
        seen, result = "as_in_file", Result.SEEN
    what = WORDS["configuration"][index]
    return Finding(what, WORDS[expected][index], WORDS[seen][index], result)


def _print_all(
    findings: dict[str, list[Finding]], language: Language, *, as_json: bool, ended: bool
) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(findings), ensure_ascii=False))
        return
    for name, found in findings.items():
        _print(name, found, language, ended=ended)
    if not ended:
        click.secho(WORDS["not_ended"][index_of(language)], fg="yellow")


def _well(findings: list[Finding]) -> bool:
    return all(finding.result is Result.SEEN for finding in findings)


def _print(name: str, findings: list[Finding], language: Language, *, ended: bool) -> None:
    if not findings:
        return  # it was ended before anything was tried
    index = index_of(language)
    columns = (WORDS[key][index] for key in ("what", "expected", "seen"))
    table = Table("", *columns, title=WORDS["title"][index].format(name=name))
    for finding in findings:
        mark, style = _STYLES[finding.result]
        table.add_row(mark, finding.what, finding.expected, finding.seen, style=style)
    Console().print(table)
    amiss = sum(finding.result is not Result.SEEN for finding in findings)
    if amiss:
        click.secho(WORDS["not_well"][index].format(count=amiss), fg="red")
    elif ended:
        click.secho(WORDS["all_well"][index], fg="green")
