"""Codes that count once, remembered over a restart: written behind, never waited for in a lane.

What is written could be tried by whoever holds its key: code by code, for a holder whom they look
for. So that key is one that a thief of the gate does not find, and that ends with the day.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from admission.instant import Instant
from admission.ports import Clock
from admission.repeat import UsedOnce
from cache.journal.errors import LocalStateError
from cache.journal.local.database import LocalDatabase
from cache.journal.local.used_codes import load_used, save_used

_log = logging.getLogger(__name__)

GATHER_S = 5.0
"""For how long uses gather before they are written: a power cut forgets those."""
_DIGEST_BYTES = 16


_PURPOSE = b"chot used codes"


class DayKeys(Protocol):
    """Where the key of the day comes from: `appliance.pseudonyms.Pseudonyms`."""

    def derived_key(self, purpose: bytes) -> bytes:
        """Return the key of now for this purpose."""
        ...

    def listen(self, listener: Callable[[Instant], None]) -> None:
        """Tell `listener` whenever there is another key."""
        ...


class KeptUses(UsedOnce):
    """`UsedOnce` by keyed digests (BLAKE2b, RFC 7693), with what has changed since it was written.

    :param key: 16 to 64 secret bytes.
    :param known: the ends of validity by digest, as they were written.
    """

    def __init__(self, key: bytes, known: Mapping[bytes, int]) -> None:
        super().__init__()
        self._keys = [key]
        self._changes: dict[bytes, int | None] = {}
        self.changed = asyncio.Event()
        for digest, expires_ns in known.items():
            super().use(digest, expires_ns)

    def use(self, token: bytes, expires_ns: int) -> bool:
        """Record one use; see `UsedOnce.use`."""
        digest, *former = self._digests(token)
        first = not any(map(self.knows, former)) and super().use(digest, expires_ns)
        if first:
            self._note(digest, expires_ns)
        return first

    def give_back(self, token: bytes) -> None:
        """Undo a use; see `UsedOnce.give_back`."""
        for digest in self._digests(token):
            super().give_back(digest)
            self._note(digest, None)

    def renew(self, key: bytes) -> None:
        """Take another key from now on; what was used under the one before stays known here.

        After a restart it is not: a code that was used right before the key's end, and is valid
        yet, may then be used once more.
        """
        self._keys = [key, self._keys[0]]

    def take_changes(self) -> dict[bytes, int | None]:
        """Return what has changed since the last call: the end of validity, None = given back."""
        changes, self._changes = self._changes, {}
        self.changed.clear()
        return changes

    def put_back(self, changes: Mapping[bytes, int | None]) -> None:
        """Take changes again that could not be written; newer ones win."""
        self._changes = {**changes, **self._changes}

    def _note(self, digest: bytes, expires_ns: int | None) -> None:
        self._changes[digest] = expires_ns
        self.changed.set()

    def _digests(self, token: bytes) -> list[bytes]:
        return [
            hashlib.blake2b(
                token, digest_size=_DIGEST_BYTES, key=key, person=b"chot used code"
            ).digest()
            for key in self._keys
        ]


@asynccontextmanager
async def kept_uses(
    database: LocalDatabase,
    keys: DayKeys,
    clock: Clock,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[KeptUses]:
    """Remember used codes in a database for the length of a context, and from the last one.

    What cannot be read or written is logged: the gate serves, and tells codes apart from here on.

    :param keys: says under which key digests are made.
    :param sleep: `asyncio.sleep` or what a test puts in its place.
    """
    known: dict[bytes, int] = {}
    try:
        known = await load_used(database)
    except LocalStateError as error:
        _log.warning("codes that were used before the start are not known", exc_info=error)
    uses = KeptUses(keys.derived_key(_PURPOSE), known)
    keys.listen(lambda _: uses.renew(keys.derived_key(_PURPOSE)))
    writing = asyncio.create_task(_write_behind(uses, database, clock, sleep))
    try:
        yield uses
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await _write(uses, database, clock)


async def _write_behind(
    uses: KeptUses,
    database: LocalDatabase,
    clock: Clock,
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    while True:
        await uses.changed.wait()
        await sleep(GATHER_S)
        await _write(uses, database, clock)


async def _write(uses: KeptUses, database: LocalDatabase, clock: Clock) -> None:
    changes, now = uses.take_changes(), clock.now()
    if not changes:
        return
    try:
        await save_used(database, changes, now_ns=now.wall_ns if now.dated else None)
    except LocalStateError as error:
        _log.warning("codes that were used are not written down", exc_info=error)
        uses.put_back(changes)
    except asyncio.CancelledError:
        uses.put_back(changes)
        raise
