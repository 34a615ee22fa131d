"""Text from outside as one harmless line: for terminals and pages."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return the text with U+FFFD for each character that could steer whatever shows it.

    Control characters, line ends, direction overrides and lone surrogates are such; the length
    stays.

    >>> printable("Nguyễn Văn An\x1b[2J\n\u202e")
    'Nguyễn Văn An\ufffd[2J\ufffd\ufffd'
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
