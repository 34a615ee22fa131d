"""Devices in SQLite: rows of one table, read and written inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiosqlite

from hub.errors import StoreError
from hub.store.devices import Device

_BY = {
    "name": "SELECT * FROM device WHERE name = ?",
    "public_key": "SELECT * FROM device WHERE public_key = ?",
}


async def put(raw: aiosqlite.Connection, device: Device) -> None:
    """Register a device in place of an earlier one of its name; see the port."""
    key = device.public_key or None  # an absent key is null: the column is unique
    same_key = "SELECT 1 FROM device WHERE name <> ? AND public_key = ?"
    if await _any(raw, same_key, device.name, key):
        msg = "the key is already another device's"
        raise StoreError(msg, hint="every device makes its own: no copies of state/identity")
    await raw.execute(
        "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            device.name,
            device.enrolled_ns,
            key,
            device.site,
            device.serial,
            device.denied_ns,
            device.expires_ns,
        ),
    )


async def by(raw: aiosqlite.Connection, column: str, value: str | bytes) -> Device | None:
    """Return the device with this value in a column of ours that is unique."""
    rows = await raw.execute_fetchall(_BY[column], (value,))
    return next((_device(row) for row in rows), None)


async def everyone(raw: aiosqlite.Connection) -> Sequence[Device]:
    """Return all devices by name."""
    rows = await raw.execute_fetchall("SELECT * FROM device ORDER BY name")
    return [_device(row) for row in rows]


async def set_denied(raw: aiosqlite.Connection, name: str, denied_ns: int | None) -> bool:
    """Put a device on the deny list, or take it off; see the port."""
    cursor = await raw.execute(
        "UPDATE device SET denied_ns = iif(?1 IS NULL, NULL, coalesce(denied_ns, ?1))"
        " WHERE name = ?2",
        (denied_ns, name),
    )
    return cursor.rowcount > 0


def _device(row: Any) -> Device:
    return Device(
        name=row[0],
        enrolled_ns=row[1],
        public_key=row[2] or b"",
        site=row[3],
        serial=row[4],
        denied_ns=row[5],
        expires_ns=row[6],
    )


async def _any(raw: aiosqlite.Connection, statement: str, *values: object) -> bool:
    return bool(list(await raw.execute_fetchall(statement, values)))
