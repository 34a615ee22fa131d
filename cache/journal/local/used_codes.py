"""Codes that count once and were used, over a restart: digests that say nothing of anybody."""

from __future__ import annotations

from collections.abc import Mapping

from cache.journal.local.database import LocalDatabase
from cache.journal.local.rows import checked, with_crc

MAX_USED_CODES = 16_384
KEPT_NS = 86_400 * 1_000_000_000
"""How long a digest is kept after its code's validity: a clock may be put right by so much."""
_MAX_NS = (1 << 63) - 1


async def load_used(database: LocalDatabase) -> dict[bytes, int]:
    """Return when the validity of each code ends, by its digest. What is damaged is left out.

    :raises LocalStateError: if the database cannot be read.
    """
    async with database.transaction(write=False) as raw:
        rows = [checked(row) for row in await raw.execute_fetchall("SELECT * FROM used_code")]
    return {row[0]: row[1] for row in rows if row is not None}


async def save_used(
    database: LocalDatabase, changes: Mapping[bytes, int | None], *, now_ns: int | None
) -> None:
    """Keep digests with the ends of their codes' validity, and let go of those with None.

    :param now_ns: wall time, None while nobody vouches for it: nothing is too old then.
    :raises LocalStateError: if the database cannot be written; nothing has changed then.
    """
    used = [(one, min(at, _MAX_NS)) for one, at in changes.items() if at is not None]
    given_back = [(one,) for one, at in changes.items() if at is None]
    async with database.transaction() as raw:
        await raw.executemany("DELETE FROM used_code WHERE digest = ?", given_back)
        await raw.executemany(
            "INSERT OR REPLACE INTO used_code VALUES (?, ?, ?)", [with_crc(*one) for one in used]
        )
        if now_ns is not None:
            await raw.execute("DELETE FROM used_code WHERE expires_ns < ?", (now_ns - KEPT_NS,))
        await raw.execute(
            "DELETE FROM used_code WHERE digest IN (SELECT digest FROM used_code "
            "ORDER BY expires_ns DESC LIMIT -1 OFFSET ?)",
            (MAX_USED_CODES,),
        )
