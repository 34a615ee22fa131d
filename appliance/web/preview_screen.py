"""What the preview's pages ask: the newest look of each camera, measured, with its picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from admission.reading import Reading
from appliance.web.darkroom import Darkroom, compressed
from appliance.web.preview_view import Figures, LookView, look_view
from scanner.camera.advice import advice_for
from scanner.camera.likeness import likely_codes
from scanner.camera.look import Look
from scanner.camera.quality import quality_of
from scanner.camera.steady import Steady
from scanner.camera.symbol.candidates import candidates

LONGEST_SIDE_PX = 960
JPEG_QUALITY = 70
LATE_NS = 1_500_000_000
"""How long a reading speaks for the frames after it, in which its code is not read."""
FPS_OVER_NS = 3_000_000_000


class CameraView(msgspec.Struct, frozen=True):
    """One answer to a page: all cameras in brief, one in full."""

    build: str
    cameras: tuple[str, ...]
    up: tuple[bool, ...]
    camera: int
    number: int
    """Which look this is; a page asks for what comes after it."""
    figures: Figures
    look: LookView | None


class _Shown(msgspec.Struct, frozen=True):
    look: LookView
    picture: bytes


class PreviewScreen:
    """What pages ask. Lives on one loop; make it and call it there, but for `looked`.

    :param names: the cameras, in the order of the page's tabs.
    """

    def __init__(self, names: tuple[str, ...], monotonic_ns: Callable[[], int]) -> None:
        self.names = names
        self.build = ""
        self._monotonic_ns = monotonic_ns
        self._figures: Mapping[str, Callable[[], Figures]] = {}
        self._heard: dict[str, Reading] = {}
        self._darkrooms = {
            name: Darkroom(name, self._developing(name), monotonic_ns) for name in names
        }
        self._counted = {name: deque[tuple[int, int]]() for name in names}

    def looked(self, name: str) -> Callable[[Look], None]:
        """Return what the named camera calls with each look, from its decode thread."""
        return self._darkrooms[name].looked

    def heard(self, reading: Reading) -> None:
        """Take a reading, from whatever thread: the slow lane's are in no look."""
        self._heard[reading.source] = reading

    def start(self, figures: Mapping[str, Callable[[], Figures]]) -> None:
        """Start the threads. `figures` tells of each camera by its name, at once."""
        self._figures = figures
        for darkroom in self._darkrooms.values():
            darkroom.start()

    def close(self) -> None:
        """End the threads and let every waiting page go."""
        for darkroom in self._darkrooms.values():
            darkroom.close()

    async def after(self, camera: int, number: int, wait_s: float) -> tuple[CameraView, bytes]:
        """Return the newest look if it is not `number`, waiting for one up to `wait_s`.

        Without one, the view has no look and the picture is empty; its figures are of now.
        """
        name = self.names[camera]
        found = await self._darkrooms[name].after(number, wait_s)
        view = CameraView(
            build=self.build,
            cameras=self.names,
            up=tuple(self._figures_of(each).up for each in self.names),
            camera=camera,
            number=found[0] if found else number,
            figures=self._with_rate(name, self._figures_of(name)),
            look=found[1].look if found else None,
        )
        return view, found[1].picture if found else b""

    def _figures_of(self, name: str) -> Figures:
        told = self._figures.get(name)
        return told() if told else Figures(up=False)

    def _with_rate(self, name: str, figures: Figures) -> Figures:
        """Return the figures with the frames a second since a few seconds ago."""
        now_ns = self._monotonic_ns()
        counted = self._counted[name]
        counted.append((now_ns, figures.frames))
        while len(counted) > 2 and now_ns - counted[1][0] > FPS_OVER_NS:
            counted.popleft()
        (then_ns, frames), rate = counted[0], 0.0
        if now_ns > then_ns:
            rate = max(0, figures.frames - frames) * 1e9 / (now_ns - then_ns)
        return msgspec.structs.replace(figures, fps=round(rate, 1))

    def _developing(self, name: str) -> Callable[[Look], _Shown]:
        steady = Steady()

        def develop(look: Look) -> _Shown:
            places, late = look.candidates, None
            if not look.sightings:
                late = self._late(name, look.frame.captured_ns)
                # Not every look goes as far as to search.
                places = places or tuple(candidates(look.gray))
            likely = likely_codes(look.gray, places, smeared=True)
            look = msgspec.structs.replace(look, candidates=likely)
            quality = quality_of(look.gray, look.sightings, look.candidates)
            advice = advice_for(quality, late=late is not None)
            advice = steady.take(advice, look.frame.captured_ns)
            picture = compressed(look.gray, LONGEST_SIDE_PX, JPEG_QUALITY)
            age_ms = (self._monotonic_ns() - look.frame.captured_ns) / 1e6
            return _Shown(look_view(look, quality, advice, age_ms, late), picture)

        return develop

    def _late(self, name: str, captured_ns: int) -> Reading | None:
        heard = self._heard.get(name)
        lately = heard is not None and 0 <= captured_ns - heard.captured_ns < LATE_NS
        return heard if lately else None
