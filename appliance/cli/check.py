"""`chot check`: what is wrong with a configuration, each fault with its remedy."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.clock import SystemClock
from appliance.config import load_config
from appliance.identity_inspection import identity_line
from appliance.inspection import inspect


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="The configuration, e.g. configs/supermarket.toml.",
)
def check(path: Path) -> None:
    """Say what is wrong with a configuration, and what to do about it.

    Exits with 1 if anything would keep `chot run` from working here.
    """
    config = load_config(path)
    problems = inspect(config)
    for problem in problems:
        click.secho(f"{problem.where}: {problem.what}", fg="red")
        click.echo(f"  → {problem.remedy}")
    well, standing = identity_line(config, SystemClock().now())
    click.secho(standing, fg=None if well else "yellow")
    if problems:
        click.echo(f"{path}: {len(problems)} problem{'s' if len(problems) > 1 else ''} found")
        raise SystemExit(1)
    click.secho(f"{path}: ready to run", fg="green")
