"""Options that the replica's commands share."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.config import load_config

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    required=True,
    callback=lambda _context, _parameter, path: load_config(path),
    help="The gate's configuration, e.g. configs/supermarket.toml.",
)
