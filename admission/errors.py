"""The root of all errors of this house, and the errors of the law.

ChotError                    root of every package's root; carries a hint
└── AdmissionError
    ├── RulebookError        a rulebook that cannot be used (refused at load, never at the gate)
    ├── OrdersError          the document of orders is malformed
    ├── RuleError            a CertLogic expression that is malformed, too deep or too large
    ├── TrustError           a list of issuers' keys that cannot be used
    ├── MalformedError       what a code holds is not what its format says; parsers let none out
    ├── IssueError           parts that make no credential: the issuing side's error
    ├── WireError            bytes from another process that are not what they claim to be
    ├── EnrolmentError       an enrolment token or request that is none, or is for something else
    └── SealError            a seal that this key does not open, or that was altered
"""

from __future__ import annotations


class ChotError(Exception):
    """Root of every package's errors. `hint` says what a person can do about it, or is empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class AdmissionError(ChotError):
    """Root of this package's errors."""


class RulebookError(AdmissionError):
    """A rulebook is malformed, incomplete or contradicts itself."""


class OrdersError(AdmissionError):
    """The document that says which directive is in force where and from when is malformed."""


class RuleError(AdmissionError):
    """A CertLogic expression is malformed, unknown, too deep or too large."""


class TrustError(AdmissionError):
    """A list of issuers' keys is malformed or oversized as a whole."""


class MalformedError(AdmissionError):
    """What a code holds is not what its format says. No parser of a code lets it out."""


class IssueError(AdmissionError):
    """The parts that somebody wants to issue make no credential that would read back."""


class WireError(AdmissionError):
    """Bytes from another process are malformed, oversized or of an unknown version."""


class EnrolmentError(AdmissionError):
    """An enrolment token or request is none, or is for something else. Never quotes a secret."""


class SealError(AdmissionError):
    """A seal is not for this key, was altered, or belongs to another entry."""
