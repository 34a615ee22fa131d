"""The uplink: sends durable entries to the hub until it has acknowledged every one.

Batches may be sent twice (a lost answer looks like a lost request); the hub knows each entry by
device, journal and sequence. The watermark moves by the hub's word alone, and only over what was
sent.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Protocol

import msgspec

from admission.backoff import Backoff
from admission.errors import ChotError, WireError
from admission.instant import Instant
from admission.ports import Clock
from admission.wire import (
    BATCH_VERSION,
    MAX_BATCH_BYTES,
    MAX_BATCH_ENTRIES,
    Batch,
    Entry,
    pack_batch,
    unpack_acknowledgement,
)
from appliance.errors import HubUnavailable

RETRY = Backoff(first_s=0.5, ceiling_s=60.0, jitter=1.0)
"""Full jitter: the gates whose hub comes back do not come back at once."""
_ENVELOPE_BYTES = 1_024  # of a batch, beside its entries: version, device, journal, lengths

_HINTS = {
    401: "the hub does not accept this device's token: enrol it anew or correct hub.token_file",
    403: "the token belongs to another device: correct hub.token_file or appliance.device",
    404: "there is no hub behind this address: correct hub.url",
    413: "a proxy before the hub takes smaller uploads only: raise its limit above 1 MiB",
    429: "the hub or a proxy before it is busy: nothing to do here",
}


class Answer(msgspec.Struct, frozen=True):
    """The hub's answer to one upload: HTTP status, and a body of bounded length."""

    status: int
    body: bytes


class Transport(Protocol):
    """The way to the hub."""

    async def post_entries(self, body: bytes) -> Answer:
        """Return the hub's answer to one deflated batch, whatever its status.

        :raises HubUnavailable: if there was none, or one out of bounds.
        """
        ...


class DurableEntries(Protocol):
    """The journal, as far as the uplink needs it."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...

    async def wait_beyond(self, sequence: int) -> None:
        """Return once an entry after `sequence` is durable."""
        ...


class EntryReader(Protocol):
    """Reads entries back."""

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> Sequence[Entry]:
        """Return entries `after` + 1 onwards, without gaps, at least one if there is one."""
        ...


class Watermark(Protocol):
    """The outbox."""

    @property
    def acknowledged_through(self) -> int:
        """Sequence of the last entry that the hub has acknowledged."""
        ...

    @property
    def pending(self) -> int:
        """How many durable entries the hub has not acknowledged."""
        ...

    async def acknowledge(self, through: int) -> None:
        """Move the watermark forward."""
        ...


class UplinkStatus(msgspec.Struct, frozen=True):
    """How the upload stands. `last_error` and `hint` are empty after a success.

    `attempts` counts uploads since the start, `failures` those that failed since the last success.
    """

    pending: int
    acknowledged_through: int
    last_success: Instant | None
    last_error: str
    hint: str
    attempts: int
    failures: int


class Uplink:
    """Uploads one journal. `run` it as one task; ask `status` at any time.

    :param device: the device's name at the hub, at most 64 characters.
    :param rng: spreads the retries of many gates whose hub comes back.
    :param sleep: `asyncio.sleep` or what a test puts in its place.
    :param attempt_s: how long one upload may take, answer included.
    :param ended: whether the journal was ended and may have lost its last entries.
    """

    def __init__(
        self,
        journal: DurableEntries,
        reader: EntryReader,
        outbox: Watermark,
        transport: Transport,
        *,
        device: str,
        clock: Clock,
        rng: Random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        backoff: Backoff = RETRY,
        attempt_s: float = 30.0,
        ended: bool = False,
    ) -> None:
        self._journal = journal
        self._reader = reader
        self._outbox = outbox
        self._transport = transport
        self._device = device
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._backoff = backoff
        self._attempt_s = attempt_s
        self._ended = ended
        self._last_success: Instant | None = None
        self._last_error = self._hint = ""
        self._attempts = self._failures = 0

    def status(self) -> UplinkStatus:
        """Return how the upload stands now."""
        return UplinkStatus(
            pending=self._outbox.pending,
            acknowledged_through=self._outbox.acknowledged_through,
            last_success=self._last_success,
            last_error=self._last_error,
            hint=self._hint,
            attempts=self._attempts,
            failures=self._failures,
        )

    async def run(self) -> None:
        """Upload until cancelled. Whatever fails is shown in the status and tried again."""
        while True:
            await self._journal.wait_beyond(self._outbox.acknowledged_through)
            try:
                await self._send_next()
            except Exception as error:  # noqa: BLE001 - nothing at the hub may ever end the upload
                self._failed(error)
                delay_s = self._backoff.delay_s(self._failures, self._rng.random())
                await self._sleep(delay_s)
            else:
                self._last_success = self._clock.now()
                self._last_error = self._hint = ""
                self._failures = 0

    async def _send_next(self) -> None:
        """Send the next batch and move the watermark by the hub's answer."""
        self._attempts += 1
        after = self._outbox.acknowledged_through
        entries = await self._reader.read(
            after,
            self._journal.last_sequence,
            max_entries=MAX_BATCH_ENTRIES,
            max_bytes=MAX_BATCH_BYTES - _ENVELOPE_BYTES,
        )
        batch = Batch(BATCH_VERSION, self._device, self._journal.journal_id, tuple(entries))
        body = await asyncio.to_thread(_deflated, batch)
        async with asyncio.timeout(self._attempt_s):
            answer = await self._transport.post_entries(body)
        through = self._acknowledged(answer)
        if through <= after:
            msg = f"the hub holds entries through {through} and took none of {len(entries)} more"
            hint = "if it was restored from a backup, remove journal.sqlite: all is sent again"
            raise HubUnavailable(msg, hint=hint)
        # A hub that is ahead (this outbox was lost) is believed no further than we sent ourselves.
        await self._outbox.acknowledge(min(through, entries[-1].sequence))

    def _acknowledged(self, answer: Answer) -> int:
        """Return through which entry the hub says it holds this journal.

        :raises HubUnavailable: if the answer is none that an honest hub gives.
        """
        if answer.status != 200:
            msg = f"the hub answered {answer.status}"
            raise HubUnavailable(msg, hint=_HINTS.get(answer.status, "see the hub's log"))
        try:
            acknowledgement = unpack_acknowledgement(answer.body)
        except WireError as error:
            msg = f"the hub's answer is {error}"
            hint = "what answers under hub.url may not be a hub (a login page, a proxy)"
            raise HubUnavailable(msg, hint=hint) from error
        if acknowledgement.journal != self._journal.journal_id:
            raise HubUnavailable("the hub acknowledged another journal", hint="see the hub's log")
        if self._ended:  # what it lost at its end had gone up before
            return min(acknowledgement.through, self._journal.last_sequence)
        if acknowledgement.through > self._journal.last_sequence:
            msg = f"the hub acknowledged entry {acknowledgement.through}, which does not exist here"
            hint = "was the journal restored from a copy? Keep it and start with an empty folder"
            raise HubUnavailable(msg, hint=hint)
        return acknowledgement.through

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if isinstance(error, TimeoutError):
            self._last_error = f"the hub did not answer within {self._attempt_s} s"
            self._hint = "check the network between this gate and hub.url"
        else:
            self._last_error = str(error) or type(error).__name__
            self._hint = error.hint if isinstance(error, ChotError) else ""


def _deflated(batch: Batch) -> bytes:
    return zlib.compress(pack_batch(batch))
