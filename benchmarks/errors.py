"""Errors of the benchmarks.

BenchmarkError
├── CorpusError             a folder of photographs cannot be used
├── DecoderMissingError     a decoder to be measured beside ours is not installed
├── ChildError              a measurement in a process of its own gave no answer
├── NoRoomError             the medium or the memory is too small for a measurement
└── ToolMissingError        a compiler or a library is not installed
"""

from __future__ import annotations

from admission.errors import ChotError


class BenchmarkError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class CorpusError(BenchmarkError):
    """A folder of photographs is missing, or its manifest or a picture cannot be used."""


class DecoderMissingError(BenchmarkError):
    """A decoder is not installed."""


class ChildError(BenchmarkError):
    """A measurement in a process of its own raised, or its process fell."""


class NoRoomError(BenchmarkError):
    """There is not enough free space for what a measurement writes."""


class ToolMissingError(BenchmarkError):
    """A compiler or a library is not installed here."""
