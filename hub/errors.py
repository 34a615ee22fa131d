"""Errors of the hub.

HubError
├── DataFolderError   the hub's folder is missing, foreign, unusable or served already
├── KeyFileError      a key file is missing, malformed or readable by others
├── CellError         a cell of a CSV file holds something else than its column says
├── TableError        a CSV file as a whole cannot be taken
├── DocumentError     a document or order for the gates cannot be taken
├── StoreError        the store could not read or write
├── PublishError      a release or a head could not be built, signed or written
├── PassError         a pass that cannot be made of what was asked for, or cannot be printed
└── UploadError       what a gate sent is refused; carries the HTTP status
    ├── MalformedUploadError    400  no batch, or damaged on the way
    ├── UnauthorisedError       401  no token, or one of no enrolled device
    ├── ForbiddenError          403  a denied device, or one that speaks for another
    ├── TooManyJournalsError    403  a device has begun more journals than any gate does
    ├── SlowUploadError         408  the body did not arrive in time
    ├── OversizedUploadError    413  longer than a batch may be, before or after inflating
    ├── UnsupportedUploadError  415  a content type or coding that the hub does not read
    ├── TooManyUploadsError     429  a device uploads more than it may at a time
    └── TooManyGuessesError     429  one address has shown too many tokens that are none
"""

from __future__ import annotations

from typing import ClassVar

from admission.errors import ChotError


class HubError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class DataFolderError(HubError):
    """The hub's folder is missing, foreign, unusable, or served by another hub."""


class KeyFileError(HubError):
    """A key file is missing, malformed or readable by others."""


class CellError(HubError):
    """A cell of a CSV file holds something else than its column says. Never repeats the cell."""


class TableError(HubError):
    """A CSV file as a whole cannot be taken: its header, its encoding, or too many bad rows."""


class DocumentError(HubError):
    """A document or an order for the gates cannot be taken; what was in force stays."""


class StoreError(HubError):
    """The store could not read or write."""


class PublishError(HubError):
    """A release or a head could not be built, signed or written."""


class PassError(HubError):
    """A pass cannot be made of what was asked for, or cannot be printed."""


class UploadError(HubError):
    """What a gate sent is refused. The message goes back to it and holds nothing of the body."""

    status: ClassVar[int] = 400
    retry_after_s: ClassVar[int] = 0
    """When to come again (RFC 9110, `Retry-After`); 0 says nothing about it."""


class MalformedUploadError(UploadError):
    """The body is no batch, or was damaged on the way."""

    status = 400


class UnauthorisedError(UploadError):
    """There is no token, or it is of no enrolled device."""

    status = 401


class ForbiddenError(UploadError):
    """The device is denied, or it is another than the one that is spoken for."""

    status = 403


class TooManyJournalsError(UploadError):
    """The device has begun more journals than any gate does: another one is not taken."""

    status = 403


class SlowUploadError(UploadError):
    """The body did not arrive in time."""

    status = 408


class OversizedUploadError(UploadError):
    """The body is longer than a batch may be, before or after inflating."""

    status = 413


class UnsupportedUploadError(UploadError):
    """The body has a content type or a content coding that the hub does not read."""

    status = 415


class TooManyUploadsError(UploadError):
    """The device has as many uploads under way as one device may have."""

    status = 429
    retry_after_s = 2


class TooManyGuessesError(UploadError):
    """One address has shown too many enrolment tokens that are none."""

    status = 429
    retry_after_s = 60
