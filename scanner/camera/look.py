"""What one look at a frame saw, for whoever watches a camera being mounted or a code failing."""

from __future__ import annotations

import msgspec

from scanner.camera.port import Frame, Gray
from scanner.camera.sighting import Quad, Sighting


class Look(msgspec.Struct, frozen=True, gc=False):
    """One look: the frame, its brightness, what was read in it and what was not.

    `gray` may be a view of the frame's own bytes: nobody writes into it. `sightings` are the codes
    read by the inline lane, parts of longer codes among them. `candidates` are places that look
    like a code and were not read, as far as this look went for them. `read_ns` is what reading
    took, without decompressing.
    """

    frame: Frame
    gray: Gray
    sightings: tuple[Sighting, ...]
    candidates: tuple[Quad, ...]
    read_ns: int
