"""What this appliance knows of the person and of its zone at the moment of a decision.

The replica says what an authority knows; this says what happened here. `admission.zone` keeps it
over all lanes of one appliance, and builds it anew from the journal at start.
"""

from __future__ import annotations

import msgspec

from admission.site import Direction


class Presence(msgspec.Struct, frozen=True, gc=False):
    """The zone as one person who wants to pass in `direction` finds it.

    `inside` and `workers_inside` count the people in the zone and those of the roster among them.
    `passed_ago_ns` is how long ago this person was last let pass in this direction, None = not
    since the last reset. `used` says that a code which counts once has been used here; `held_off`
    that this lane takes no typed numbers for now, after too many wrong ones.
    """

    direction: Direction = Direction.IN
    inside: int = 0
    workers_inside: int = 0
    passed_ago_ns: int | None = None
    used: bool = False
    held_off: bool = False


NOBODY = Presence()
"""An empty zone, and somebody who was never here."""
