"""The options by which the journal's commands choose a span of time."""

from __future__ import annotations

from datetime import datetime

import click

from appliance.journal_export import Span

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])
since_option = click.option("--since", type=_TIME, help="Entries from then on; local time.")
until_option = click.option("--until", type=_TIME, help="Entries before then; local time.")


def span_of(since: datetime | None, until: datetime | None) -> Span:
    """Return the span; a time without a zone is this machine's local time."""
    return Span(_in_ns(since), _in_ns(until))


def _in_ns(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) * 1_000_000_000
