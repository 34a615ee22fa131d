"""Pseudonyms: 64 bits that tell the same person again until the zone's next reset, and no longer.

A token is BLAKE2b (RFC 7693) of the person, or of the code's digest where it names nobody on
record, under a key of this gate. Whoever has the key, and the region's, can try every person; so
it is kept where a thief does not find it (`pseudonym_key`), and replaced whenever the zone forgets:
no key of yesterday exists, and tokens of two days cannot be told to be one person's.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from typing import Protocol, Self

import msgspec

from admission.instant import Instant
from admission.people import Token
from admission.ports import Clock
from admission.reset import DailyReset
from appliance.health import Finding
from appliance.pseudonym_key import KEY_BYTES, KeyPlace, KeyRecord, new_record

TOKEN_BYTES = 8
LOOK_S = 5.0
"""How often the key is looked after where nobody passes: it outlives the reset by that at most."""
_PURPOSE = b"chot token 1"
_NEXT_PURPOSE = b"chot next key 1"
_DERIVED_PURPOSE = b"chot derived key"
_PERSON, _CODE = b"p", b"c"
_log = logging.getLogger(__name__)

Listener = Callable[[Instant], None]


class TokenedJournal(Protocol):
    """The journal whose entries hold the tokens."""

    @property
    def journal_id(self) -> bytes:
        """Tells it from others: 16 bytes."""
        ...

    @property
    def last_sequence(self) -> int:
        """The last durable sequence."""
        ...


class Pseudonyms:
    """Gives tokens. One object for everything of an appliance; belongs to the loop.

    Replacing the key costs no waiting: the file follows in `run`.
    """

    def __init__(
        self,
        record: KeyRecord,
        place: KeyPlace,
        reset: DailyReset,
        journal: TokenedJournal,
        clock: Clock,
        *,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Use `open`."""
        self._record = record
        self._place = place
        self._reset = reset
        self._journal = journal
        self._clock = clock
        self._random_bytes = random_bytes
        self._settled_ns = (0, 0)  # from that reset up to the next one, no other is due
        self._listeners: list[Listener] = []
        self._written: KeyRecord | None = None
        self._changed = asyncio.Event()

    @classmethod
    async def open(
        cls,
        place: KeyPlace,
        reset: DailyReset,
        journal: TokenedJournal,
        clock: Clock,
        *,
        random_bytes: Callable[[int], bytes],
    ) -> Self:
        """Go on with the key that is kept, or make one where there is none or its day is over.

        :param reset: the zone's.
        :param random_bytes: secret randomness, such as `os.urandom`.
        """
        record = await asyncio.to_thread(place.read)
        now, next_sequence = clock.now(), journal.last_sequence + 1
        if record is None:
            latest = reset.latest(now)
            era = None if latest is None else latest.ordinal
            record = new_record(random_bytes(KEY_BYTES), era, journal.journal_id, next_sequence)
        elif record.journal != journal.journal_id:
            record = new_record(record.key, record.era, journal.journal_id, next_sequence)
        pseudonyms = cls(record, place, reset, journal, clock, random_bytes=random_bytes)
        pseudonyms.settle(now)
        await pseudonyms.write()
        return pseudonyms

    @property
    def named_from(self) -> int:
        """The first sequence whose token may be of the key in force."""
        return self._record.named_from

    def token(self, person: int | None, digest: bytes, now: Instant) -> Token:
        """Return the token of a person; of a code of this digest where nobody is known by it."""
        self.settle(now)
        whom = _CODE + digest if person is None else _PERSON + person.to_bytes(8, "little")
        hashed = hashlib.blake2b(
            whom, digest_size=TOKEN_BYTES, key=self._record.key, person=_PURPOSE
        )
        return int.from_bytes(hashed.digest(), "little")

    def derived_key(self, purpose: bytes) -> bytes:
        """Return a key for another purpose, which ends with the one in force; it lies nowhere.

        :param purpose: at most 64 bytes that name it.
        """
        return hashlib.blake2b(
            purpose, digest_size=KEY_BYTES, key=self._record.key, person=_DERIVED_PURPOSE
        ).digest()

    def listen(self, listener: Listener) -> None:
        """Tell `listener` whenever tokens from now on are of another key. It returns at once."""
        self._listeners.append(listener)

    def settle(self, now: Instant) -> None:
        """Replace the key if the zone's reset has come since it was made.

        By the rules of `Zone`: not while the clock is undated, and a clock that is set back
        replaces nothing. A key that was made while undated is the first dated day's.
        """
        since_ns, until_ns = self._settled_ns
        if since_ns <= now.wall_ns < until_ns and now.dated:
            return
        latest = self._reset.latest(now)
        if latest is None:
            return
        era = self._record.era
        if era is not None and latest.ordinal == era - 1:
            return
        if era is not None and latest.ordinal > era:
            self._replace(latest.ordinal, now)
        elif era != latest.ordinal:
            self._record = msgspec.structs.replace(self._record, era=latest.ordinal)
            self._changed.set()
        self._settled_ns = (latest.wall_ns, self._reset.next_ns(latest))

    def finding(self) -> Finding:
        """Return whether a restart of the daemon would know people again, for the health report."""
        if self._place.folder is None:
            why = "nobody is known again after a restart: no folder of ours in memory (tmpfs)"
            return Finding(ok=False, why=why)
        kept = self._written is self._record or self._changed.is_set()
        return Finding(ok=kept, why="" if kept else "the key of who is inside cannot be kept")

    async def run(self) -> None:
        """Look after the key until cancelled: also where nobody passes, and with its file."""
        while True:
            self.settle(self._clock.now())
            await self.write()
            try:
                await asyncio.wait_for(self._changed.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def write(self) -> None:
        """Bring the file up to the key in force. What fails is tried again at the next look."""
        self._changed.clear()
        record = self._record
        if record is self._written:
            return
        try:
            await asyncio.to_thread(self._place.write, record)
        except OSError as error:
            _log.warning("the key of who is inside cannot be kept", exc_info=error)
            return
        self._written = record

    def _replace(self, era: int, now: Instant) -> None:
        # Of the key before and of chance: neither of the two keys leads to the other.
        key = hashlib.blake2b(
            self._random_bytes(KEY_BYTES),
            digest_size=KEY_BYTES,
            key=self._record.key,
            person=_NEXT_PURPOSE,
        ).digest()
        named_from = self._journal.last_sequence + 1
        self._record = new_record(key, era, self._record.journal, named_from)
        self._changed.set()
        for listener in self._listeners:
            listener(now)
