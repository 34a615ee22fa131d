"""A lesson for those who mount cameras: people who show a code well, then wrongly, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from scanner.scenes.presentation import Carrier, Difficulty, Light, Presentation

_WELL = Difficulty(px_per_module=4.6, noise=2.0)
LESSON = {
    "well": (Carrier.PHONE, _WELL, 4.0),
    "far": (Carrier.PHONE, Difficulty(px_per_module=1.45), 4.0),
    "rather far": (Carrier.CARD, Difficulty(px_per_module=2.4), 4.0),
    "dark": (Carrier.CARD, Difficulty(px_per_module=4.6, light=Light.DIM), 4.0),
    "well again": (Carrier.CARD, _WELL, 4.0),
    "out of focus": (Carrier.CARD, Difficulty(px_per_module=4.6, defocus_px=3.0), 4.0),
    "moving": (Carrier.CARD, Difficulty(px_per_module=3.2, drift_px_s=820), 2.0),
}
"""What is shown, by what is to be learnt: carrier, difficulty and seconds. Some of it is beyond
what can be read: that is the point. Who moves is in view for long enough that
advice, which must hold for 0.6 s, is shown."""


def lesson() -> Iterator[Presentation]:
    """Yield the lesson over and over, each code with a text of its own."""
    for number, (carrier, difficulty, lasts_s) in enumerate(itertools.cycle(LESSON.values())):
        text = f"CHOT|LESSON|{number:06d}|NGUYEN THI MINH KHAI|1987-01-18|162979388586171100|<1<00"
        yield Presentation(text, carrier, difficulty, lasts_s)
