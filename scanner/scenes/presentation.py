"""What a synthetic person shows, and how hard it is to read."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec


class Carrier(StrEnum):
    """What the code stands on."""

    PHONE = "phone"
    """A bright screen behind glass: shines by itself, mirrors lamps."""
    CARD = "card"
    """Paper: only as bright as the light that falls on it."""


class Light(StrEnum):
    """Where the light comes from."""

    EVEN = "even"
    BACKLIT = "backlit"
    """From behind: the person and paper are dark, the room is not."""
    SHADOW = "shadow"
    """From one side: brightness falls off across the code."""
    GLARE = "glare"
    """A lamp is mirrored beside the middle of the code."""
    DIM = "dim"
    """Hardly any falls on the person."""


class Difficulty(msgspec.Struct, frozen=True):
    """How a code is held, lit and seen.

    Angles in degrees (yaw about the vertical, pitch about the horizontal, roll in the picture).
    `defocus_px` is the sigma of a Gaussian, `drift_px_s` the speed at which the hand moves while
    it holds still, `noise` the sigma of the sensor's noise in gray levels.
    """

    px_per_module: float = 3.5
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    defocus_px: float = 0.0
    drift_px_s: float = 12.0
    light: Light = Light.EVEN
    noise: float = 2.0


DIFFICULTIES = {
    "plain": Difficulty(),
    "tilted": Difficulty(yaw_deg=28, pitch_deg=-18, roll_deg=14),
    "moving": Difficulty(drift_px_s=110),
    "blurred": Difficulty(px_per_module=4.0, defocus_px=1.3),
    "backlit": Difficulty(light=Light.BACKLIT, noise=4.0),
    "shadow": Difficulty(light=Light.SHADOW, roll_deg=-10),
    "glare": Difficulty(light=Light.GLARE, yaw_deg=10),
    "grainy": Difficulty(noise=9.0),
    "far": Difficulty(px_per_module=2.6),
}
"""What happens at a gate, by name; each within the physical limits of reading."""


class Presentation(msgspec.Struct, frozen=True):
    """One person showing one code for `lasts_s` seconds, coming and going included."""

    text: str
    carrier: Carrier = Carrier.PHONE
    difficulty: Difficulty = DIFFICULTIES["plain"]
    lasts_s: float = 1.5


def varied(texts: Iterable[str], rng: random.Random) -> Iterator[Presentation]:
    """Yield one presentation per text, its carrier and difficulty drawn from `rng`."""
    for text in texts:
        named = DIFFICULTIES[rng.choice(list(DIFFICULTIES))]
        side = rng.choice((-1, 1))
        difficulty = msgspec.structs.replace(
            named,
            px_per_module=named.px_per_module * rng.uniform(0.97, 1.2),
            yaw_deg=side * named.yaw_deg + rng.uniform(-6, 6),
            pitch_deg=named.pitch_deg + rng.uniform(-5, 5),
            roll_deg=side * named.roll_deg + rng.uniform(-5, 5),
        )
        yield Presentation(text, rng.choice(list(Carrier)), difficulty)
