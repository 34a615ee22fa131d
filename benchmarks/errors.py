"""Errors of the benchmarks.

BenchmarkError
├── CorpusError             a folder of photographs cannot be used
└── DecoderMissingError     a decoder to be measured beside ours is not installed
"""

from __future__ import annotations

from admission.errors import ChotError


class BenchmarkError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class CorpusError(BenchmarkError):
    """A folder of photographs is missing, or its manifest or a picture cannot be used."""


class DecoderMissingError(BenchmarkError):
    """A decoder is not installed."""
