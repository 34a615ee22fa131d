"""The replicate loop: ask for the head, judge it, fetch what it names, let it answer.

A round that fails changes nothing at the gate; it shows in the status, and the next one comes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from admission.backoff import Backoff
from admission.instant import Instant
from admission.ports import Clock
from cache.errors import (
    DeltaError,
    HeadError,
    LayoutError,
    ReplicaError,
    SegmentError,
    SourceError,
    TrustError,
)
from cache.replica.book import ReplicaBook
from cache.replica.fetching import Fetching
from cache.replica.generation import Generation
from cache.replica.head import Head, SignedHead
from cache.replica.merging import MergeOutcome, Merging
from cache.replica.offers import Offer, offers
from cache.replica.source import FileKind, ReplicaSource
from cache.replica.status import GOOD_OUTCOMES, Outcome, ReplicaStatus
from cache.replica.store import ReplicaStore

DEFAULT_INTERVAL_S = 2.0
MAX_BACKOFF_S = 60.0
MAX_POLL_S = 3_600.0
"""Longest wait that a head may ask for."""
RECHECK_S = 3_600
"""Time after which pages are checked again when next touched, and the trust is looked after."""
TRUST_RETRY_S = 60
"""The same where that failed."""


class Replicator:
    """Keeps the book at the upstream's newest release. Runs on the loop; disk work is off it.

    :param sources: the hub, and what else may have releases: see `offers`.
    :param on_head: called once with every newly accepted head, before anything is fetched: its
        `issued_ns` is a floor of the time.
    :param on_documents: called on the loop with the documents' bytes by name, whenever others are
        in force than before, from the disk too; empty bytes stand for one that is named and not
        here. It returns at once; if it raises, that shows in the status and the documents count as
        handed on.
    :param jitter: returns a random number in [0, 1); spreads the polls of many gates.
    """

    def __init__(
        self,
        sources: Sequence[ReplicaSource],
        store: ReplicaStore,
        book: ReplicaBook,
        clock: Clock,
        *,
        on_head: Callable[[Head], None] | None = None,
        on_documents: Callable[[Mapping[str, bytes]], None] | None = None,
        interval_s: float = DEFAULT_INTERVAL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._sources = sources
        self._store = store
        self._fetching = Fetching(store.files)
        self._merging = Merging(store.files, self._fetching, store.hash_key_id)
        self._book = book
        self._clock = clock
        self._on_head = on_head
        self._on_documents = on_documents
        self._handed: Mapping[str, bytes] = {}
        self._documents_error = ""
        self._interval_s = interval_s
        self._sleep = sleep
        self._jitter = jitter
        self._backoff = Backoff(2 * interval_s, MAX_BACKOFF_S, jitter=0)
        self._active: Generation | None = None
        self._announced = b""
        self._opened = False
        self._failures = 0
        self._checked_ns = 0
        self._deltas_applied = 0
        self._trust_error = ""
        self._trust_due_ns: int | None = None
        self._last_success: Instant | None = None
        self._last_error: tuple[str, str] = ("", "")
        self._rounds: Counter[Outcome] = Counter()

    async def open(self) -> bool:
        """Let the stored release answer, if there is a sound one; return whether there is.

        `run` and `once` do this first by themselves; call it to have the book filled before.

        :raises StoreError: if the replica's directory cannot be prepared.
        """
        if not self._opened:
            generation = await asyncio.to_thread(self._store.open)
            self._opened = True
            if generation is not None:
                self._serve(generation)
            for error in self._store.refused:
                self._last_error = (str(error), error.hint)
        return self._active is not None

    async def run(self) -> None:
        """Replicate until cancelled."""
        try:
            while True:
                await self.once()
                await self._sleep(self._wait_s())
        finally:
            await self._merging.close()

    async def once(self) -> Outcome:
        """Return how one round ended. Never raises but for cancellation."""
        try:
            await self.open()
            self._recheck(self._clock.now())
            outcome = await self._round(self._clock.now())
        except ReplicaError as error:
            outcome = _outcome_of(error)
            self._last_error = (str(error), error.hint)
        except Exception as error:  # noqa: BLE001 - the gate serves on from what it has; shown below
            outcome = Outcome.FAILED
            self._last_error = (f"{type(error).__name__} in the replicate loop", "report this")
        else:
            self._last_success = self._clock.now()
            self._last_error = ("", "")
        self._failures = 0 if outcome in GOOD_OUTCOMES else self._failures + 1
        self._rounds[outcome] += 1
        return outcome

    def status(self) -> ReplicaStatus:
        """Return what is known now."""
        head = self._active.signed.head if self._active else None
        return ReplicaStatus(
            sequence=head.sequence if head else None,
            issued_ns=head.issued_ns if head else None,
            expires_ns=head.expires_ns if head else None,
            last_success=self._last_success,
            rows=self._book.rows,
            datasets=self._book.rows_by_kind,
            documents=len(self._active.documents) if self._active else 0,
            missing=self._active.missing if self._active else 0,
            damaged_pages=self._book.damaged_pages,
            unreadable_lookups=self._book.unreadable_lookups,
            last_error=self._last_error[0],
            last_error_hint=self._last_error[1],
            numbers=self._active.numbers if self._active else {},
            deltas_applied=self._deltas_applied,
            healed_pages=self._fetching.healed_pages,
            fetched_bytes={kind: self._fetching.bytes[kind] for kind in FileKind},
            merges={outcome: self._merging.outcomes[outcome] for outcome in MergeOutcome},
            merge_error=self._merging.last_error,
            trust_error=self._trust_error,
            documents_error=self._documents_error,
            rounds={outcome: self._rounds[outcome] for outcome in Outcome},
        )

    async def _round(self, now: Instant) -> Outcome:
        await self._look_after_trust(now)
        failure: ReplicaError | None = None
        for offer in await offers(self._sources, self._store, now):
            self._announce(offer.signed)
            try:
                outcome = await self._follow(offer)
            except ReplicaError as error:
                # The files of what was carried here may be lost, and the hub's are not.
                failure = failure or error
                continue
            if self._active is not None:
                self._merging.follow(self._active, offer.sources, now)
            return outcome
        raise failure or ReplicaError("there is no upstream")

    async def _follow(self, offer: Offer) -> Outcome:
        outcome = await self._apply(offer)
        await asyncio.to_thread(self._store.accept, offer.signed)
        if outcome is Outcome.ACTIVATED:
            await asyncio.to_thread(self._store.prune)
        return outcome

    async def _apply(self, offer: Offer) -> Outcome:
        signed, contents, active = offer.signed, offer.contents, self._active
        sound = active is not None and active.complete and not active.damaged_pages
        if active is None or not sound or active.contents != contents:
            await self._merging.settle(contents)
            await self._fetching.bring(contents, active, offer.sources)
            self._serve(await asyncio.to_thread(self._store.activate, signed))
            return Outcome.ACTIVATED
        if active.signed.digest == signed.digest:
            return Outcome.UNCHANGED
        self._serve(await asyncio.to_thread(self._store.revouch, signed, active))
        return Outcome.REVOUCHED

    def _serve(self, generation: Generation) -> None:
        if self._active is None:
            self._checked_ns = self._clock.now().monotonic_ns
        self._count_deltas(generation)
        self._book.swap(generation.segments, generation.signed.head)
        self._active = generation
        # Nothing is awaited in between: no scan sees new rows under old documents.
        documents = generation.named_documents
        if documents != self._handed:
            self._hand_on(documents)

    def _count_deltas(self, generation: Generation) -> None:
        known = self._active.contents.deltas if self._active else frozenset()
        self._deltas_applied += len(generation.contents.deltas - known)

    def _hand_on(self, documents: Mapping[str, bytes]) -> None:
        self._handed, self._documents_error = documents, ""
        if self._on_documents is None:
            return
        try:
            self._on_documents(documents)
        except Exception as error:  # noqa: BLE001 - whoever reads them must not stop the replica
            self._documents_error = f"{type(error).__name__}: {error}"

    def _recheck(self, now: Instant) -> None:
        due_ns = self._checked_ns + RECHECK_S * 1_000_000_000
        if self._active is not None and now.monotonic_ns >= due_ns:
            for table in self._active.segments.values():
                if table is not None:
                    table.forget_checks()
            self._checked_ns = now.monotonic_ns

    async def _look_after_trust(self, now: Instant) -> None:
        """Refresh what is trusted, now and then: whoever has stolen a head key asks for nothing."""
        if self._trust_due_ns is not None and now.monotonic_ns < self._trust_due_ns:
            return
        wait_s, self._trust_error = RECHECK_S, ""
        try:
            await self._store.trust.refresh(self._sources[0], now)
        except ReplicaError as error:
            wait_s, self._trust_error = TRUST_RETRY_S, str(error)
        self._trust_due_ns = now.monotonic_ns + wait_s * 1_000_000_000

    def _announce(self, signed: SignedHead) -> None:
        active = self._active.signed.digest if self._active else b""
        if signed.digest not in {active, self._announced}:
            self._announced = signed.digest
            if self._on_head is not None:
                self._on_head(signed.head)

    def _wait_s(self) -> float:
        """Return the poll interval or the backoff, spread by a tenth either way.

        The head asks for the interval, so the spread is of both alike and not the backoff's own.
        """
        asked = self._active.signed.head.min_next_poll_s if self._active else 0
        wait_s = max(self._interval_s, min(asked, MAX_POLL_S))
        if self._failures:
            wait_s = max(wait_s, self._backoff.delay_s(self._failures, 0.0))
        return wait_s * (0.9 + 0.2 * self._jitter())


def _outcome_of(error: ReplicaError) -> Outcome:
    if isinstance(error, SourceError):
        return Outcome.UNREACHABLE
    if isinstance(error, (HeadError, SegmentError, LayoutError, DeltaError, TrustError)):
        return Outcome.REFUSED
    return Outcome.FAILED
