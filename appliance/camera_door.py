"""A camera as one task on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from admission.reading import Reading
from appliance.errors import ApplianceError
from scanner.camera.look import Look
from scanner.camera.port import Camera
from scanner.camera.slow_lane import SlowLane
from scanner.camera.source import CameraSource, CameraStatistics
from scanner.camera.symbologies import QR_ONLY, Wanted

STOP_TIMEOUT_S = 0.6
"""A thread that is stuck in a driver for longer ends with the process."""

Deliver = Callable[[Reading], None]


class SourceDied(ApplianceError):  # noqa: N818 - an event, not a programming error
    """A thread of a source ended by itself: the daemon restarts rather than go on blind."""


class CameraDoor:
    """A camera's two threads as one task."""

    def __init__(
        self,
        camera: Camera,
        name: str,
        deliver: Deliver,
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        device: str = "",
        looked: Callable[[Look], None] | None = None,
        wanted: Wanted = QR_ONLY,
        slow_lane: SlowLane | None = None,
    ) -> None:
        self.name = name
        self.device = device
        self._loop = asyncio.get_running_loop()
        self._died: asyncio.Future[BaseException] = self._loop.create_future()
        self._source = CameraSource(
            camera,
            name,
            deliver,
            monotonic_ns,
            draw=draw,
            failed=self._report,
            looked=looked,
            wanted=wanted,
            slow_lane=slow_lane,
        )

    @property
    def up(self) -> bool:
        """Whether frames keep coming."""
        return self._source.statistics().up

    @property
    def alive(self) -> bool:
        """Whether the decode thread does not hang in one frame. One that died ends `run`."""
        return not self._source.statistics().hung

    @property
    def failure(self) -> str:
        """Why they do not, or last did not."""
        return self._source.statistics().last_error

    @property
    def frames_dropped(self) -> int | None:
        """Frames that were never looked at because the decoder was busy."""
        return self._source.statistics().dropped

    @property
    def frames_bad(self) -> int | None:
        """Frames that were no picture to decode."""
        return self._source.statistics().bad_frames

    def plugged(self) -> None:
        """Try to open the camera at once, if it is not open."""
        self._source.plugged()

    def unplugged(self) -> None:
        """Count the camera as lost at once, whatever its driver says."""
        self._source.unplugged()

    def statistics(self) -> CameraStatistics:
        """Return the camera's counters of this moment."""
        return self._source.statistics()

    async def run(self) -> None:
        """Run both threads until cancelled.

        :raises SourceDied: if one of them ended by itself.
        """
        self._source.start()
        try:
            error = await self._died
            msg = f"a thread of the camera '{self.name}' died: {type(error).__name__}"
            raise SourceDied(msg) from error
        finally:
            await asyncio.shield(asyncio.to_thread(self._source.stop, STOP_TIMEOUT_S))

    def _report(self, error: BaseException) -> None:
        self._loop.call_soon_threadsafe(self._mourn, error)

    def _mourn(self, error: BaseException) -> None:
        if not self._died.done():
            self._died.set_result(error)
