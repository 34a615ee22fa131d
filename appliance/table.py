"""What the tables of a configuration have in common."""

from __future__ import annotations

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""
