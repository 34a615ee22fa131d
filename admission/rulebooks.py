"""Several rulebooks side by side: which one is in force in a district at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta, timezone

from admission.instant import EPOCH, Instant
from admission.rulebook import Rulebook

_BEGINNING = -1
_END = 1 << 63
_VIETNAM = timezone(timedelta(hours=7))


class Rulebooks:
    """The rulebooks that a gate holds. `own` answers where no other is in force."""

    def __init__(self, own: Rulebook, others: Iterable[Rulebook] = ()) -> None:
        newest: dict[str, Rulebook] = {own.id: own}
        for book in others:
            held = newest.get(book.id)
            if held is None or held.version < book.version:
                newest[book.id] = book
        self._own = newest[own.id]
        self._books = tuple(sorted(newest.values(), key=_precedence, reverse=True))
        self._alone = len(self._books) == 1

    def in_force(self, district: int, now: Instant) -> Rulebook:
        """Return the rulebook that counts in this district now.

        Of several, one that names the district before one for everywhere, then the one that came
        into force last, then the higher version. Where none is in force the gate's own answers: a
        gate without any rule would have to refer everybody.
        """
        if self._alone:  # whether it is in force or not: most gates have one
            return self._own
        for book in self._books:
            if book.in_force(district, now):
                return book
        return self._own

    def __iter__(self) -> Iterator[Rulebook]:
        """Yield all, the one that takes precedence first."""
        return iter(self._books)


def _precedence(book: Rulebook) -> tuple[bool, int, int, str]:
    starts = _BEGINNING if book.starts_ns is None else book.starts_ns
    return (bool(book.districts), starts, book.version, book.id)


def uncovered(books: Iterable[Rulebook]) -> Iterator[tuple[int, str, str]]:
    """Yield the times between the first beginning and the last end in which none is in force.

    As (district code, from, until), 0 for a district that no rulebook names; moments in ISO form,
    in Vietnam's time as rulebooks are written.
    """
    held = list(books)
    for district in sorted({0}.union(*(book.districts for book in held))):
        periods = sorted(
            (
                _BEGINNING if book.starts_ns is None else book.starts_ns,
                _END if book.ends_ns is None else book.ends_ns,
            )
            for book in held
            if not book.districts or district in book.districts
        )
        until = periods[0][1] if periods else _END
        for starts, ends in periods[1:]:
            if starts > until:
                yield district, _moment(until), _moment(starts)
            until = max(until, ends)


def _moment(ns: int) -> str:
    moment = EPOCH + timedelta(microseconds=ns // 1_000)
    try:
        return moment.astimezone(_VIETNAM).isoformat()
    except OverflowError:  # the last hours of the year 9999
        return moment.isoformat()
