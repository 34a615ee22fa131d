"""The uplink: sends durable entries to the hub until it has acknowledged every one.

Batches may be sent twice (a lost answer looks like a lost request); the hub knows each entry by
device, journal and sequence. The watermark moves by the hub's signed mark alone, held against the
journal's own chain (`mark_check`).

At the start, and now and then where nothing happens, an empty batch asks for the mark: so a hub
that was put back to an older copy is noticed, and a journal that somebody has cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from admission.backoff import Backoff
from admission.errors import WireError
from admission.ports import Clock
from admission.upload import Mark, open_mark
from admission.wire import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, Entry
from appliance.errors import HistoryContradicted, HubRefused, HubUnavailable
from appliance.mark_check import UNKNOWN, Local, Move
from appliance.uplink_ports import DurableEntries, EntryReader, Transport, Watermark
from appliance.uplink_report import Report, UplinkStatus
from appliance.upload_pace import Pace
from appliance.upload_packing import packed_upload
from cache.journal.frame import FRAME_HEAD_BYTES, MAX_FRAME_BYTES

RETRY = Backoff(first_s=0.5, ceiling_s=60.0, jitter=1.0)
"""Full jitter: the gates whose hub comes back do not come back at once."""
ASK_AGAIN_S = 3_600.0
SLICE_ENTRIES = 250
"""Read in one piece of work: about a millisecond, in which a lane may wait for the interpreter."""
_ENVELOPE_BYTES = 1_024  # of a batch, beside its entries: version, device, journal, lengths


class Uplink:
    """Uploads one journal. `run` it as one task; ask `status` at any time.

    :param device: the device's name at the hub, at most 64 characters.
    :param key: this device's, whose public half the hub knows.
    :param head_keys: returns the hub's keys that may sign marks at this moment.
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
        key: Ed25519PrivateKey,
        head_keys: Callable[[], Iterable[Ed25519PublicKey]],
        clock: Clock,
        rng: Random,
        pace: Pace,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        backoff: Backoff = RETRY,
        attempt_s: float = 30.0,
        ask_again_s: float = ASK_AGAIN_S,
        ended: bool = False,
    ) -> None:
        self._journal = journal
        self._reader = reader
        self._outbox = outbox
        self._transport = transport
        self._device = device
        self._key = key
        self._head_keys = head_keys
        self._clock = clock
        self._rng = rng
        self._pace = pace
        self._sleep = sleep
        self._backoff = backoff
        self._attempt_s = attempt_s
        self._ask_again_s = None if ended else ask_again_s
        self._ended = ended
        self._asks = True
        self._agreed = False
        self._marked_ns: int | None = None
        self._void_ns = 0
        self._read: list[Entry] = []
        self._seen = journal.last_sequence
        self._report = Report()

    def status(self) -> UplinkStatus:
        """Return how the upload stands now."""
        return self._report.status(self._outbox.pending, self._outbox.acknowledged_through)

    async def run(self) -> None:
        """Upload until cancelled. Whatever fails is shown in the status and tried again."""
        while True:
            if not self._asks:
                await self._await_work()
            self._report.attempts += 1
            self._agreed = False
            try:
                await self._exchange([] if self._asks else await self._next_entries())
            except Exception as error:  # noqa: BLE001 - nothing at the hub may ever end the upload
                self._report.failed(error, self._attempt_s)
                # While both ends tell another history nothing is sent: the question alone goes on.
                self._asks = not self._agreed and (
                    self._asks or isinstance(error, HistoryContradicted)
                )
                if self._agreed:  # what could not be kept, such as on a full disk, holds even so
                    await self._pace.rest()
                else:
                    await self._sleep(self._delay_s(error))
            else:
                self._asks = False
                self._report.succeeded(self._clock.now())
                await self._pace.rest()

    def _delay_s(self, error: Exception) -> float:
        """Return how long to wait: as the hub asks, and on top of it what spreads the gates."""
        delay_s = self._backoff.delay_s(self._report.failures, self._rng.random())
        return delay_s + (error.retry_after_s if isinstance(error, HubRefused) else 0.0)

    async def _await_work(self) -> None:
        """Return once there is something to send, or it is time to ask."""
        try:
            failed = self._report.failures  # what was agreed on could not be kept
            async with asyncio.timeout(self._backoff.ceiling_s if failed else self._ask_again_s):
                await self._journal.wait_beyond(self._outbox.acknowledged_through)
        except TimeoutError:
            self._asks = True

    async def _next_entries(self) -> list[Entry]:
        """Return the next batch's entries, read in pieces between which lanes have their turn.

        What was read for a try that failed serves the next one.
        """
        entries: list[Entry] = []
        after, last = self._outbox.acknowledged_through, self._journal.last_sequence
        if self._read and self._read[0].sequence == after + 1:
            return self._read
        if last > self._seen:
            self._seen = last
            self._pace.served()
        room = MAX_BATCH_BYTES - _ENVELOPE_BYTES
        while room >= MAX_FRAME_BYTES and len(entries) < MAX_BATCH_ENTRIES and after < last:
            most = min(SLICE_ENTRIES, MAX_BATCH_ENTRIES - len(entries))
            async with self._pace.turn():
                read = await self._reader.read(after, last, max_entries=most, max_bytes=room)
            entries += read
            after = read[-1].sequence
            room -= sum(FRAME_HEAD_BYTES + len(entry.packed) for entry in read)
        self._read = entries
        return entries

    async def _exchange(self, entries: Sequence[Entry]) -> None:
        """Send entries, or ask with none, and move the watermark by the hub's answer."""
        after = self._outbox.acknowledged_through
        async with self._pace.turn():
            body = await asyncio.to_thread(
                packed_upload,
                self._device,
                self._journal.journal_id,
                after + 1,
                entries,
                self._clock.now().wall_ns,
                key=self._key,
            )
        begun = self._clock.now()
        async with asyncio.timeout(self._attempt_s):
            answer = await self._transport.post_entries(body)
        ended = self._clock.now()
        mark = self._opened(answer.body)
        self._report.compared(mark, begun, ended)
        await self._take(mark, answer.body, entries)
        if entries and self._outbox.acknowledged_through == after:
            msg = f"the hub holds entries through {after} and took none of {len(entries)} more"
            raise HubUnavailable(msg, hint="see the hub's log")

    def _opened(self, data: bytes) -> Mark:
        try:
            return open_mark(data, self._head_keys())
        except WireError as error:
            msg = f"the hub's answer is {error}"
            hint = "what answers under hub.url may not be a hub (a login page, a proxy)"
            raise HubUnavailable(msg, hint=error.hint or hint) from error

    async def _take(self, mark: Mark, data: bytes, entries: Sequence[Entry]) -> None:
        """Hold a mark against the journal, keep it, and move the watermark.

        :raises HistoryContradicted: if the hub holds another history.
        :raises HubUnavailable: if the mark is none that counts.
        """
        acknowledged, last = self._outbox.acknowledged_through, self._journal.last_sequence
        local = Local(
            self._device,
            self._journal.journal_id,
            acknowledged,
            self._wall_of_last_mark(),
            last,
            void_ns=self._void_ns,
            ended=self._ended,
        )
        local.named(mark)  # before the medium is asked for a place that means something else
        move = local.judge(mark, await self._chain_hash_of(mark.through, entries))
        through = min(mark.through, last)
        self._report.sent(entries)
        self._agreed = through != acknowledged or not entries
        if move is Move.BACK:
            self._report.put_back(through, acknowledged)
            self._void_ns = mark.wall_ns
            await self._outbox.set_back(through, data)
        else:
            await self._outbox.acknowledge(through, data)
        self._marked_ns = mark.wall_ns

    async def _chain_hash_of(self, sequence: int, entries: Sequence[Entry]) -> bytes:
        """Return an entry's chain hash, `UNKNOWN` if it is not here or cannot be read."""
        if not 0 < sequence <= self._journal.last_sequence:
            return UNKNOWN
        if entries and entries[0].sequence <= sequence <= entries[-1].sequence:
            return entries[sequence - entries[0].sequence].chain_hash
        read = await self._reader.read(
            sequence - 1, sequence, max_entries=1, max_bytes=MAX_BATCH_BYTES
        )
        return read[0].chain_hash if read else UNKNOWN

    def _wall_of_last_mark(self) -> int:
        """Return the hub's clock in the last mark, 0 if there is none that can be told."""
        if self._marked_ns is None:
            try:
                self._marked_ns = open_mark(self._outbox.mark, self._head_keys()).wall_ns
            except WireError:  # none yet, or of a key that is not trusted any more
                self._marked_ns = 0
        return self._marked_ns
