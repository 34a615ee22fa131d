"""What a decoder read, held against what is known of the photograph."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import msgspec

from benchmarks.corpus import Photograph

_CHARSETS = ("latin-1", "cp1252", "shift_jis", "gb18030", "big5", "euc_kr")
"""Charsets that decoders guess where a symbol names none (ISO/IEC 18004 leaves it to them)."""
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class Judgement(msgspec.Struct, frozen=True):
    """The texts that were read in one photograph, each in exactly one place.

    `unverified`: nobody knows the text of (all) the codes in the photograph. `false`: there is no
    code in the picture at all. Texts that the manifest is unsure of are left out.
    """

    right: tuple[str, ...] = ()
    """Known texts that were read, as the manifest has them."""
    wrong: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


def judge(photograph: Photograph, read: Iterable[str]) -> Judgement:
    """Return what each text that was read is worth. A text read twice counts once.

    A text that is not known contradicts the truth only where the text of every code is known.
    """
    texts = tuple(dict.fromkeys(read))
    if photograph.codes == 0:
        return Judgement(false=texts)
    right = tuple(known for known in photograph.texts if any(same_text(known, t) for t in texts))
    told = (*photograph.texts, *photograph.unsure)
    others = tuple(t for t in texts if not any(same_text(known, t) for known in told))
    if photograph.readable and len(photograph.texts) >= photograph.codes:
        return Judgement(right, wrong=others)
    return Judgement(right, unverified=others)


def same_text(one: str, other: str) -> bool:
    r"""Return whether both may stand for the same bytes of a symbol.

    >>> same_text("Phố\n", "Phố\r\n")
    True
    >>> same_text("モバイル", "モバイル".encode("shift_jis").decode("latin-1"))
    True
    >>> same_text("0123", "0124")
    False
    """
    return one == other or not _bytes_behind(one).isdisjoint(_bytes_behind(other))


def _bytes_behind(text: str) -> set[bytes]:
    """Return the bytes that a decoder may have made this text of."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    plain = plain.strip().lstrip(_BYTE_ORDER_MARK)
    behind = {plain.encode("utf-8", "replace")}
    for charset in _CHARSETS:
        try:
            behind.add(plain.encode(charset))
        except UnicodeEncodeError:
            continue
    return behind
