"""Asks the hub what time it is, where no NTP keeps this device's clock.

A fresh nonce goes out and comes back signed with the time, so that nobody can serve an old answer;
the time counts for the middle of the round trip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.backoff import Backoff
from admission.errors import ChotError
from appliance.clock import SystemClock
from appliance.errors import HubUnavailable
from appliance.hub_client import HubRequests
from appliance.hub_failures import failure_of
from cache.replica.time_proof import MAX_TIME_PROOF_BYTES, NONCE_BYTES, TIME_PATH, verify_time

ASK_AGAIN_S = 600.0
ROUND_TRIP_S = 5.0
"""An answer that took longer says too little about the present."""


class HubTime:
    """Keeps a clock at the hub's time while nothing better does. Runs on the loop.

    :param session: may do without the dates of certificates, which this very clock would judge:
        the answer is signed over the nonce.
    :param public_keys: returns the keys that may sign the time at this moment.
    :param random_bytes: `os.urandom` or the like.
    :param draw: returns a random number in [0, 1), for the waiting between tries.
    """

    def __init__(
        self,
        session: HubRequests,
        hub_url: str,
        public_keys: Callable[[], Iterable[Ed25519PublicKey]],
        clock: SystemClock,
        *,
        random_bytes: Callable[[int], bytes],
        draw: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.last_error = ""
        self._session = session
        self._url = hub_url.rstrip("/") + TIME_PATH
        self._public_keys = public_keys
        self._clock = clock
        self._random_bytes = random_bytes
        self._draw = draw
        self._sleep = sleep
        self._backoff = Backoff(first_s=1.0, ceiling_s=60.0)

    async def run(self) -> None:
        """Ask until cancelled: every ten minutes, or sooner after a failure."""
        failures = 0
        while True:
            self._clock.now()
            if self._clock.disciplined:
                self.last_error = ""
            else:
                try:
                    await self.ask()
                except ChotError as error:
                    self.last_error = str(error)
                    failures += 1
                    await self._sleep(self._backoff.delay_s(failures, self._draw()))
                    continue
                self.last_error = ""
            failures = 0
            await self._sleep(ASK_AGAIN_S)

    async def ask(self) -> None:
        """Ask once and set the clock by the answer.

        :raises HubUnavailable: if there is no answer within `ROUND_TRIP_S`, or one that is refused.
        :raises cache.errors.TimeProofError: if the answer is not the hub's, or not to this nonce.
        """
        nonce = self._random_bytes(NONCE_BYTES)
        begun_ns = self._clock.monotonic_ns()
        data = await self._fetch(nonce)
        ended_ns = self._clock.monotonic_ns()
        wall_ns = verify_time(data, nonce, self._public_keys())
        if ended_ns - begun_ns > ROUND_TRIP_S * 1e9:
            raise HubUnavailable("the hub took too long to say what time it is")
        if not self._clock.vouch(wall_ns, (begun_ns + ended_ns) // 2):
            raise HubUnavailable(
                "the hub's time contradicts its earlier word, NTP's, or a head that it has signed",
                hint="set the hub's clock right, then restart this gate's service",
            )

    async def _fetch(self, nonce: bytes) -> bytes:
        timeout = aiohttp.ClientTimeout(total=ROUND_TRIP_S)
        try:
            async with self._session.get(
                self._url, params={"nonce": nonce.hex()}, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status != 200:
                    msg = f"the hub answered {response.status} when asked for the time"
                    raise HubUnavailable(msg)
                body = b""
                async for chunk in response.content.iter_chunked(MAX_TIME_PROOF_BYTES + 1):
                    body += chunk
                    if len(body) > MAX_TIME_PROOF_BYTES:
                        break
                return body
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = failure_of(error)
            msg = f"the hub cannot be asked for the time: {failure.what}"
            raise HubUnavailable(msg, hint=failure.hint) from error
