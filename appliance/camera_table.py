"""The table of one camera."""

from __future__ import annotations

from typing import Annotated

import msgspec

from appliance.table import Name, Table


class CameraSourceTable(Table, frozen=True, tag="camera", tag_field="kind"):
    """A V4L2 camera, by its stable name."""

    name: Name
    device: str
    width_px: Annotated[int, msgspec.Meta(ge=160, le=4096)] = 1280
    height_px: Annotated[int, msgspec.Meta(ge=120, le=4096)] = 720
    fps: Annotated[float, msgspec.Meta(gt=0, le=240)] = 30.0
