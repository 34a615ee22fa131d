"""Enrolment in SQLite: the statements, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aiosqlite

from hub.store.devices import Device
from hub.store.enrolment import (
    EnrolmentRequest,
    EnrolmentToken,
    IssuedCertificate,
    RequestState,
)
from hub.store.sqlite import devices


async def put_token(raw: aiosqlite.Connection, token: EnrolmentToken) -> None:
    """Keep a token; see the port."""
    await raw.execute(
        "INSERT INTO enrolment_token VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            token.secret_sha256,
            token.site,
            token.serial,
            token.device,
            token.created_ns,
            token.expires_ns,
            token.used_by or None,
        ),
    )


async def token(raw: aiosqlite.Connection, secret_sha256: bytes) -> EnrolmentToken | None:
    """Return the token of a hash."""
    rows = await raw.execute_fetchall(
        "SELECT * FROM enrolment_token WHERE secret_sha256 = ?", (secret_sha256,)
    )
    return next((_token(row) for row in rows), None)


async def file_request(raw: aiosqlite.Connection, request: EnrolmentRequest) -> EnrolmentRequest:
    """Keep a request, or return the one that stands in its place; see the port."""
    held = await (
        request_of_token(raw, request.secret_sha256)
        if request.secret_sha256
        else _pending_of_key(raw, request.public_key)
    )
    if held is not None:
        return held
    await raw.execute(
        "INSERT INTO enrolment_request VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request.number,
            request.secret_sha256 or None,
            request.device,
            request.site,
            request.serial,
            request.public_key,
            request.created_ns,
            str(request.state),
            request.decided_ns,
        ),
    )
    if request.secret_sha256:
        await raw.execute(
            "UPDATE enrolment_token SET used_by = ? WHERE secret_sha256 = ?",
            (request.public_key, request.secret_sha256),
        )
    return request


async def requests(raw: aiosqlite.Connection) -> Sequence[EnrolmentRequest]:
    """Return all requests, the oldest first."""
    rows = await raw.execute_fetchall(
        "SELECT * FROM enrolment_request ORDER BY created_ns, number", ()
    )
    return [_request(row) for row in rows]


async def request_of_token(
    raw: aiosqlite.Connection, secret_sha256: bytes
) -> EnrolmentRequest | None:
    """Return the request that used a token."""
    rows = await raw.execute_fetchall(
        "SELECT * FROM enrolment_request WHERE secret_sha256 = ?", (secret_sha256,)
    )
    return next((_request(row) for row in rows), None)


async def approve(
    raw: aiosqlite.Connection,
    number: str,
    device: Device,
    certificate: IssuedCertificate,
    decided_ns: int,
) -> bool:
    """Approve a pending request; see the port."""
    if not await _decide(raw, number, RequestState.APPROVED, decided_ns):
        return False
    await devices.put(raw, device)
    await _keep(raw, certificate)
    return True


async def refuse(raw: aiosqlite.Connection, number: str, decided_ns: int) -> bool:
    """Deny a pending request; see the port."""
    return await _decide(raw, number, RequestState.DENIED, decided_ns)


async def issue(raw: aiosqlite.Connection, certificate: IssuedCertificate) -> bool:
    """Keep a device's next certificate; see the port."""
    cursor = await raw.execute(
        "UPDATE device SET expires_ns = ? WHERE name = ? AND public_key = ? AND denied_ns IS NULL",
        (certificate.not_after_ns, certificate.device, certificate.public_key),
    )
    if not cursor.rowcount:
        return False
    await _keep(raw, certificate)
    return True


async def newest_certificate(
    raw: aiosqlite.Connection, public_key: bytes
) -> IssuedCertificate | None:
    """Return the certificate for a key that ends last."""
    rows = await raw.execute_fetchall(
        "SELECT * FROM issued_certificate WHERE public_key = ? ORDER BY not_after_ns DESC LIMIT 1",
        (public_key,),
    )
    return next((_certificate(row) for row in rows), None)


async def _decide(
    raw: aiosqlite.Connection, number: str, state: RequestState, decided_ns: int
) -> bool:
    cursor = await raw.execute(
        "UPDATE enrolment_request SET state = ?, decided_ns = ?"
        " WHERE number = ? AND state = 'pending'",
        (str(state), decided_ns, number),
    )
    return cursor.rowcount > 0


async def _keep(raw: aiosqlite.Connection, certificate: IssuedCertificate) -> None:
    await raw.execute(
        "INSERT INTO issued_certificate VALUES (?, ?, ?, ?, ?, ?)",
        (
            certificate.serial_number,
            certificate.device,
            certificate.public_key,
            certificate.not_before_ns,
            certificate.not_after_ns,
            certificate.der,
        ),
    )


async def _pending_of_key(raw: aiosqlite.Connection, public_key: bytes) -> EnrolmentRequest | None:
    rows = await raw.execute_fetchall(
        "SELECT * FROM enrolment_request"
        " WHERE public_key = ? AND secret_sha256 IS NULL AND state = 'pending'",
        (public_key,),
    )
    return next((_request(row) for row in rows), None)


def _token(row: Any) -> EnrolmentToken:
    return EnrolmentToken(
        secret_sha256=row[0],
        site=row[1],
        serial=row[2],
        device=row[3],
        created_ns=row[4],
        expires_ns=row[5],
        used_by=row[6] or b"",
    )


def _request(row: Any) -> EnrolmentRequest:
    return EnrolmentRequest(
        number=row[0],
        secret_sha256=row[1] or b"",
        device=row[2],
        site=row[3],
        serial=row[4],
        public_key=row[5],
        created_ns=row[6],
        state=RequestState(row[7]),
        decided_ns=row[8],
    )


def _certificate(row: Any) -> IssuedCertificate:
    return IssuedCertificate(
        serial_number=row[0],
        device=row[1],
        public_key=row[2],
        not_before_ns=row[3],
        not_after_ns=row[4],
        der=row[5],
    )
