"""Errors of the doors that light, cables and keys come in through.

ScannerError
├── CameraError               a camera cannot be used as configured (path, permission, mode)
│   ├── CameraLostError       a camera that worked no longer answers; reopening may help
│   └── CameraExhaustedError  a file or recording has no further frame; reopening starts it anew
├── PictureError              the bytes of a frame are not a picture that this appliance decodes
│   ├── PictureTooLargeError  more pixels or bytes than the limit, judged before decoding
│   └── PictureDamagedError   truncated, of another size than stated, or malformed
├── DecoderError              a decoder failed on a picture, which says nothing about the next one
├── SerialError               a serial port cannot be used as configured
│   └── SerialLostError       a port that worked no longer answers; reopening may help
├── FramingError              a scanner profile or framing that contradicts itself
├── KeypadError               a keyboard cannot be used as configured
├── HotplugError              devices are not announced on this machine, or no longer
└── RecordingError            a recording or scene that cannot be replayed
"""

from __future__ import annotations

from admission.errors import ChotError

_DAMAGED_HINT = (
    "take or copy the picture anew; if a camera sends such, check its cable and its mode"
)


class ScannerError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class CameraError(ScannerError):
    """A camera cannot be used as configured."""


class CameraLostError(CameraError):
    """A camera that worked no longer answers. Reopening may help."""


class CameraExhaustedError(CameraError):
    """A finite source (file, folder, recording) has no further frame."""


class PictureError(ScannerError):
    """The bytes of one frame are not a picture that this appliance decodes."""


class PictureTooLargeError(PictureError):
    """More pixels or bytes than the limit, judged before anything is decoded."""


class PictureDamagedError(PictureError):
    """Truncated, malformed, or of another size than stated."""

    def __init__(self, message: str, *, hint: str = _DAMAGED_HINT) -> None:
        super().__init__(message, hint=hint)


class DecoderError(ScannerError):
    """A decoder, or a preparation for it, failed on one picture."""


class SerialError(ScannerError):
    """A serial port cannot be used as configured."""


class SerialLostError(SerialError):
    """A serial port that worked no longer answers. Reopening may help."""


class FramingError(ScannerError):
    """A scanner profile or a framing contradicts itself."""


class KeypadError(ScannerError):
    """A keyboard cannot be used as configured."""


class HotplugError(ScannerError):
    """Devices are not announced on this machine, or no longer. Sources try by themselves."""


class RecordingError(ScannerError):
    """A recording or a scene cannot be replayed."""
