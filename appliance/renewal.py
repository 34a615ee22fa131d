"""Renews this gate's certificate at half of its life, with the key that it has (RFC 7030 §4.2.2).

The request is signed with the device's key, which proves as much as the old certificate would, and
does so through any proxy. When the certificate has ended, a person at the hub has to approve; when
the hub denies this gate, that is said, and asked again later: what it records stays here.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.backoff import Backoff
from admission.enrolment import MAX_ANSWER_BYTES, RENEW_PATH, REQUEST_CONTENT_TYPE
from admission.errors import ChotError
from admission.ports import Clock
from appliance.certificates import (
    DeviceCertificate,
    Names,
    certificates_in,
    load_certificate,
    pem,
    request_for,
    require_ours,
)
from appliance.errors import ConfigError, EnrolmentPending, EnrolmentRefused, HubUnavailable
from appliance.health import Finding
from appliance.hub_answer import bounded_body, word_in
from appliance.hub_client import HubRequests
from appliance.hub_failures import failure_of
from appliance.identity import IdentityFiles
from cache.replica.durable import write_durably

LOOK_S = 600.0
"""How often the clock is asked whether it is time, and the file whether there is a certificate."""
ATTEMPT_S = 30.0
SPREAD = 0.05
"""Of a certificate's life: gates that were enrolled together do not come back together."""
RETRY = Backoff(first_s=60.0, ceiling_s=3_600.0, jitter=1.0)
_LATE = 0.75
"""Of a certificate's life: a renewal that failed until then is a person's business."""


class Renewal:
    """Keeps a gate's certificate from ending. `run` it as one task; ask `finding` at any time.

    :param draw: returns a random number in [0, 1).
    :param sleep: `asyncio.sleep`, or what a test puts in its place.
    """

    def __init__(
        self,
        client: HubRequests,
        hub_url: str,
        files: IdentityFiles,
        key: Ed25519PrivateKey,
        clock: Clock,
        *,
        draw: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._url = hub_url.rstrip("/") + RENEW_PATH
        self._files = files
        self._key = key
        self._clock = clock
        self._draw = draw
        self._sleep = sleep
        self._spread = draw() * SPREAD
        self._held: DeviceCertificate | None = None
        self._error: ChotError | None = None

    @property
    def ends(self) -> datetime | None:
        """When the certificate ends, None without one."""
        return None if self._held is None else self._held.ends

    async def run(self) -> None:
        """Look, and renew when it is time, until cancelled. Whatever fails is tried again."""
        failures = 0
        while True:
            try:
                if await self._look():
                    await self.renew()
                self._error, failures = None, 0
                pause_s = LOOK_S
            except ChotError as error:
                self._error = error
                failures += 1
                pause_s = RETRY.delay_s(failures, self._draw())
            await self._sleep(pause_s)

    async def renew(self) -> None:
        """Ask for the next certificate and keep what comes.

        :raises HubUnavailable: if there is no answer, or none that can be used.
        :raises EnrolmentPending: if a person at the hub has to approve it first.
        :raises EnrolmentRefused: if the hub denies this gate.
        :raises ConfigError: if the certificate here cannot be read or the next one not be written.
        """
        held = await asyncio.to_thread(load_certificate, self._files.certificate)
        if held is None:
            return
        names = held.names()
        status, body = await self._answer(request_for(names, self._key))
        if status == 202:
            raise EnrolmentPending(
                "the certificate has ended, and a person at the hub has to approve the next one",
                hint="`chot hub enrol list` and `approve` at the hub",
            )
        if status == 403:
            said = word_in(body)
            msg = f"the hub does not renew this gate's certificate{said and f': {said}'}"
            raise EnrolmentRefused(
                msg,
                hint="what it records stays here; `chot hub device list` at the hub says more",
            )
        if status != 200:
            msg = f"the hub answered {status} when asked for a certificate"
            raise HubUnavailable(msg, hint="see the hub's log")
        certificate = certificates_in(body)[0]
        await asyncio.to_thread(self._keep, certificate, names)

    def finding(self) -> Finding:
        """Return how the certificate stands, as a check of the gate's health."""
        held = self._held
        if held is None:
            said = str(self._error) if isinstance(self._error, ConfigError) else ""
            return Finding(ok=not said, why=said, facts={"enrolled": False})
        facts: dict[str, str | int | float | bool | None] = {
            "enrolled": True,
            "device": held.device,
            "until": held.ends.date().isoformat(),
        }
        why = self._why(held)
        return Finding(ok=not why, why=why, facts=facts)

    def _why(self, held: DeviceCertificate) -> str:
        """Return what a person should do something about; a first try that failed is none."""
        now, error = self._clock.now(), self._error
        late = held.begins + (held.ends - held.begins) * _LATE
        said = f"{error} ({error.hint})" if error is not None else ""
        if now.dated and held.has_ended(now):
            return said or "the certificate has ended"
        if isinstance(error, EnrolmentPending | EnrolmentRefused | ConfigError):
            return said
        if said and now.dated and now.at(UTC) >= late:
            return f"the certificate ends soon and is not renewed: {said}"
        return ""

    async def _look(self) -> bool:
        """Read the certificate anew; return whether it is time for the next one."""
        self._held = await asyncio.to_thread(load_certificate, self._files.certificate)
        now = self._clock.now()
        if self._held is None or not now.dated:
            return False  # of an unknown date nothing follows: the clock comes first
        life = self._held.ends - self._held.begins
        due = self._held.half_life + timedelta(seconds=life.total_seconds() * self._spread)
        return now.at(UTC) >= due

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        try:
            async with (
                asyncio.timeout(ATTEMPT_S),
                self._client.post(
                    self._url,
                    data=base64.encodebytes(request),
                    headers={
                        "Content-Type": REQUEST_CONTENT_TYPE,
                        "Accept-Encoding": "identity",
                    },
                    allow_redirects=False,
                    auto_decompress=False,
                ) as answer,
            ):
                body = await bounded_body(answer.content, MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure_of(error, self._clock.now()).unavailable() from error
        return answer.status, body

    def _keep(self, certificate: x509.Certificate, names: Names) -> None:
        require_ours(certificate, names, self._key.public_key(), self._authorities())
        try:
            write_durably(self._files.certificate, pem(certificate), mode=0o644)
        except OSError as error:
            msg = f"{self._files.certificate}: cannot be written: {error.strerror}"
            raise ConfigError(msg, hint="state_dir must belong to the service's user") from error
        self._held = load_certificate(self._files.certificate)

    def _authorities(self) -> list[x509.Certificate]:
        path = self._files.authority
        try:
            return x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError) as error:
            msg = f"{path} does not hold the certificate of the hub's authority"
            raise ConfigError(msg, hint="enrol this gate anew: `chot enrol`") from error
