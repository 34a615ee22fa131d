"""Where the preview page is served, as `--preview` names it."""

from __future__ import annotations

from typing import Any

import click
import msgspec

HOST = "127.0.0.1"


class PreviewAddress(msgspec.Struct, frozen=True):
    """Where the page is served. `port` is None for the usual one, or any that is free."""

    host: str = HOST
    port: int | None = None


class PreviewType(click.ParamType[PreviewAddress | None]):
    """`auto`, `off`, `PORT` or `HOST:PORT`; becomes a `PreviewAddress`, or None for `off`."""

    name = "[HOST:]PORT|auto|off"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> PreviewAddress | None:
        """Return the address; fails with a usage error for anything else."""
        if not isinstance(value, str):
            return value if isinstance(value, PreviewAddress) else None
        if value in ("auto", "off"):
            return PreviewAddress() if value == "auto" else None
        host, colon, port = value.rpartition(":")
        if not (port.isdecimal() and len(port) <= 5 and int(port) <= 65_535) or (
            colon and not host
        ):
            self.fail(f"{value!r} is none of PORT, HOST:PORT, auto and off", param, ctx)
        return PreviewAddress(host.strip("[]") or HOST, int(port))
