"""The options by which the journal's commands choose a span of time."""

from __future__ import annotations

from datetime import datetime

import click

from appliance.errors import ApplianceError
from appliance.journal_export import Span

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])
_HOW = "2021-09-16, 2021-09-16T07:30 or 2021-09-16T07:30:00+07:00; local time without a zone."
since_option = click.option(
    "--since", type=_TIME, metavar="MOMENT", help=f"Entries from then on: {_HOW}"
)
until_option = click.option(
    "--until", type=_TIME, metavar="MOMENT", help="Entries before then: likewise."
)


def span_of(since: datetime | None, until: datetime | None) -> Span:
    """Return the span; a time without a zone is this machine's local time.

    :raises ApplianceError: if nothing can lie in it.
    """
    span = Span(_in_ns(since), _in_ns(until))
    if span.since_ns is not None and span.until_ns is not None and span.since_ns >= span.until_ns:
        raise ApplianceError("--until is not after --since", hint="exchange them, or leave one out")
    return span


def _in_ns(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp()) * 1_000_000_000
