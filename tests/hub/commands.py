"""Runs `chot hub …` as a person would type it."""

from __future__ import annotations

from click.testing import CliRunner, Result

from hub.cli import hub


def run(*arguments: object, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(hub, [str(argument) for argument in arguments], input=typed)


def succeed(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    return result
