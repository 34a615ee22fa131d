"""What a pass says: line by line for people, by name for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from admission.credentials.pass_content import SUBJECT_BYTES, PassClaims
from admission.verdict import Text
from hub.passes import words
from hub.passes.application import VIETNAM


def contents(claims: PassClaims, issuer: str) -> Iterable[tuple[Text, str]]:
    """Yield what a person wants to know of a pass, with a label before each."""
    granted, holder = claims.granted, claims.holder
    yield Text("Loại", "Kind"), words.both(words.KINDS[granted.kind])
    if holder is not None:
        born = f" ({holder.born:%d/%m/%Y})" if holder.born else ""
        yield Text("Người mang", "Holder"), holder.name + born
    if granted.officer is not None:
        yield Text("Số hiệu cán bộ", "Officer's number"), str(granted.officer)
    yield Text("Số", "Number"), words.number(granted.number)
    yield Text("Nơi cấp", "Issuer"), issuer
    yield words.FROM, words.moment(claims.from_s)
    yield words.UNTIL, words.moment(claims.expires_s)
    if granted.places:
        places = [words.PLACES[place] for place in granted.places]
        yield Text("Địa điểm", "Places"), _joined(places)
    if granted.districts:
        yield Text("Quận, huyện", "Districts"), ", ".join(str(code) for code in granted.districts)
    if granted.sites:
        yield Text("Cơ sở", "Sites"), ", ".join(granted.sites)
    if granted.hours:
        yield Text("Giờ", "Hours"), _joined([words.hours(some) for some in granted.hours])


def described(claims: PassClaims) -> dict[str, Any]:
    """Return what a pass says as JSON has it: the names of `application`, lists, times in ISO."""
    granted, holder = claims.granted, claims.holder
    subject = granted.subject
    return {
        "kind": granted.kind.value,
        "number": granted.number.hex(),
        "person_key": None if subject is None else subject.to_bytes(SUBJECT_BYTES, "little").hex(),
        "name": holder.name if holder else None,
        "born": holder.born.isoformat() if holder and holder.born else None,
        "officer_number": granted.officer,
        "issued": _iso(claims.issued_s),
        "from": _iso(claims.from_s),
        "until": _iso(claims.expires_s),
        "places": [place.value for place in granted.places],
        "districts": list(granted.districts),
        "sites": list(granted.sites),
        "hours": [[some.from_min, some.until_min, some.weekdays] for some in granted.hours],
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, VIETNAM).isoformat()


def _joined(texts: list[Text]) -> str:
    return f"{', '.join(t.vi for t in texts)} / {', '.join(t.en for t in texts)}"
