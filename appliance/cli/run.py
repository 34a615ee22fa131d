"""`chot run`: the daemon."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from appliance.config import load_config
from appliance.daemon import first_cause, run_daemon
from appliance.inspection import inspect
from appliance.logs import configure_logging
from cache.core_dumps import forbid_core_dumps

_log = logging.getLogger(__name__)


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="The configuration, e.g. configs/supermarket.toml.",
)
def run(path: Path) -> None:
    """Run the gate: read codes, decide, drive the lamps, log every entry, sync with the hub.

    Ends clean on Ctrl-C or SIGTERM. Devices that are missing are waited for; logs go to standard
    error as JSON lines.
    """
    config = load_config(path)
    if sys.stderr.isatty():  # a person started it; a service manager's log stays JSON
        for problem in inspect(config):
            click.echo(f"{problem.where}: {problem.what} → {problem.remedy}", err=True)
    configure_logging(sys.stderr)
    if not forbid_core_dumps():
        _log.warning("a crash may leave this process's memory on the disk")
    try:
        run_daemon(config, os.environ)
    except ExceptionGroup as group:
        raise first_cause(group) from group
