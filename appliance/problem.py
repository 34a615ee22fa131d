"""What an inspection finds."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: `where` in the configuration, `what`, and the `remedy`."""

    where: str
    what: str
    remedy: str
