"""What an officer compares by eye on a printed card, in lines that fit the place they have.

Everything that the pass itself limits is there: until when, where, at which hours, for whom. Lists
that are too long for letters that can be read are cut and say how many entries were left out; the
code holds them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from admission.credentials.pass_content import PassClaims
from admission.hours import Hours
from admission.verdict import Text
from hub.passes import words
from hub.passes.office import IssuedPass
from hub.passes.sheet import Width, wrap

LARGEST_MM, SMALLEST_MM, _STEP_MM = 2.6, 1.7, 0.1
LINE_HEIGHT = 1.2
"""Distance of two baselines, in sizes of the letters."""

_KEPT = (None, 8, 5, 3, 2, 1)
"""How many entries of a list are written, tried in turn; None for all."""

_APART = " · "
_BORN = Text("Sinh", "Born")
_PLACES = Text("Nơi", "At")
_DISTRICTS = Text("Quận, huyện", "District")
_SITES = Text("Cơ sở", "Site")
_HOURS = Text("Giờ", "Hours")
_ISSUER = Text("Nơi cấp", "Issued by")


def heading(claims: PassClaims) -> tuple[str, str]:
    """Return the kind of pass in Vietnamese, and in English with the badge's number if any."""
    kind = words.KINDS[claims.granted.kind]
    badge = "" if claims.granted.officer is None else f" · {claims.granted.officer}"
    return kind.vi.upper(), kind.en + badge


def holder(claims: PassClaims) -> str:
    """Return whose pass it is, or that it says no name."""
    return claims.holder.name if claims.holder else words.both(words.NO_NAME)


def details(card: IssuedPass, kept: int | None = None) -> list[str]:
    """Return what stands below the name, of each list the first `kept` entries."""
    return list(_details(card, kept))


def fitted(
    card: IssuedPass, width: Width, room_mm: float, height_mm: float
) -> tuple[float, list[str]]:
    """Return the size of the letters and the lines that fit a place of this width and height.

    Letters are as large as may be; where even the smallest are too large, lists are cut. What
    then is still too high, at most a long issuer, loses its end.
    """
    for kept in _KEPT:
        lines = details(card, kept)
        size_mm = LARGEST_MM
        while size_mm >= SMALLEST_MM:
            wrapped = flowed(lines, size_mm, width, room_mm)
            if len(wrapped) * LINE_HEIGHT * size_mm <= height_mm:
                return size_mm, wrapped
            size_mm = round(size_mm - _STEP_MM, 1)
    return SMALLEST_MM, wrapped[: int(height_mm / (LINE_HEIGHT * SMALLEST_MM))]


def flowed(parts: Sequence[str], size_mm: float, width: Width, room_mm: float) -> list[str]:
    """Return parts in lines: several on one where they fit, a long one on several."""
    lines: list[str] = []
    for part in parts:
        if lines and width(f"{lines[-1]}{_APART}{part}", size_mm) <= room_mm:
            lines[-1] += f"{_APART}{part}"
        else:
            lines += wrap(part, size_mm, width, room_mm)
    return lines


def _details(card: IssuedPass, kept: int | None) -> Iterator[str]:
    claims = card.claims
    granted = claims.granted
    if claims.holder and claims.holder.born:
        yield _labelled(_BORN, f"{claims.holder.born:%d/%m/%Y}")
    yield f"{words.both(words.NUMBER)} {words.number(granted.number)}"
    yield _labelled(words.FROM, words.moment(claims.from_s))
    yield _labelled(words.UNTIL, words.moment(claims.expires_s))
    if granted.places:
        names = [words.PLACES[place] for place in granted.places]
        vi, en = _cut([name.vi for name in names], kept), _cut([name.en for name in names], kept)
        yield _labelled(_PLACES, f"{vi} / {en}")
    if granted.districts:
        yield _labelled(_DISTRICTS, _cut([str(code) for code in granted.districts], kept))
    if granted.sites:
        yield _labelled(_SITES, _cut(granted.sites, kept))
    if granted.hours:
        yield _labelled(_HOURS, _cut(_hours(granted.hours), kept, "; "))
    if card.issuer:
        yield _labelled(_ISSUER, card.issuer)


def _labelled(label: Text, value: str) -> str:
    return f"{words.both(label)}: {value}"


def _cut(entries: Sequence[str], kept: int | None, between: str = ", ") -> str:
    if kept is None or len(entries) <= kept:
        return between.join(entries)
    return f"{between.join(entries[:kept])} +{len(entries) - kept}"


def _hours(some: Sequence[Hours]) -> list[str]:
    """Return the spans of the same days together: `05:00-09:00, 16:00-21:00 T2-T6 / Mon-Fri`."""
    return [
        f"{', '.join(words.span(each) for each in group)} {words.both(words.days(weekdays))}"
        for weekdays, group in groupby(some, key=lambda each: each.weekdays)
    ]
