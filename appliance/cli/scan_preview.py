"""`chot scan --preview`: the page beside a live scan."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import click

from appliance.camera_door import CameraDoor
from appliance.cli.preview_option import PreviewAddress
from appliance.sources import Source
from appliance.web.preview import serve_preview
from appliance.web.preview_screen import PreviewScreen
from appliance.web.preview_view import Figures


@asynccontextmanager
async def previewed(
    names: Sequence[str], address: PreviewAddress | None, monotonic_ns: Callable[[], int]
) -> AsyncIterator[PreviewScreen | None]:
    """Serve the page while the block runs and say where; yields None if there is nothing to see.

    :raises ApplianceError: if the address cannot be served.
    """
    if address is None or not names:
        yield None
        return
    screen = PreviewScreen(tuple(names), monotonic_ns)
    async with serve_preview(screen, address.host, address.port) as url:
        click.echo(f"preview: {_as_asked(url)}", err=True)
        try:
            yield screen
        finally:
            screen.close()


def _as_asked(url: str) -> str:
    """Return the address as another machine may ask for it, where all addresses are served."""
    for every in ("//0.0.0.0:", "//[::]:"):
        url = url.replace(every, f"//{socket.gethostname()}:")
    return url


def start(screen: PreviewScreen | None, sources: Sequence[Source]) -> None:
    """Let the page see the sources that are cameras."""
    if screen is not None:
        doors = [source for source in sources if isinstance(source, CameraDoor)]
        screen.start({door.name: _figures(door) for door in doors})


def _figures(door: CameraDoor) -> Callable[[], Figures]:
    def figures() -> Figures:
        counts = door.statistics()
        return Figures(
            up=counts.up,
            failure="" if counts.up else counts.last_error,
            frames=counts.frames,
            dropped=counts.dropped,
            skipped=counts.skipped,
            bad=counts.bad_frames,
        )

    return figures
