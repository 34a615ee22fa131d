"""Passes for tests: keys that are nobody's, a typical permit, and every pass that may be issued."""

from __future__ import annotations

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from admission.credential import Holder, Pass, PassKind
from admission.credentials.pass_content import (
    EARLIEST_BIRTH,
    LATEST_BIRTH,
    MAX_TIME_S,
    PassClaims,
)
from admission.credentials.pass_issuers import PassIssuer, PassIssuers, pack_issuers, read_issuers
from admission.hours import Hours
from admission.identity import PersonKey
from admission.site import Place

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
ISSUED_S = 1_631_318_400
"""2021-09-11T00:00:00Z."""
DAY_S = 86_400


def trusting(
    key: Ed25519PrivateKey = KEY, kinds: frozenset[PassKind] = frozenset(PassKind)
) -> PassIssuers:
    return read_issuers(pack_issuers([PassIssuer(key.public_key(), "Sở Y tế", kinds)]))


def a_permit(**changes: object) -> PassClaims:
    """The permit of a family name, two districts, two kinds of place and the hours of a week."""
    content: dict[str, object] = {
        "kind": PassKind.PERMIT,
        "number": bytes.fromhex("0123456789abcdef"),
        "subject": PersonKey(0x1122334455667788),
        "places": (Place.CONTROL_STATION, Place.SUPERMARKET),
        "districts": (760, 769),
        "hours": (Hours(5 * 60, 21 * 60, 0b001_1111),),
    }
    return PassClaims(
        Pass(**(content | changes)),  # type: ignore[arg-type]
        ISSUED_S,
        ISSUED_S + 3 * DAY_S,
        None,
        Holder("Nguyễn Thị Phương Thảo", date(1987, 1, 18)),
    )


def _any_of(kind: PassKind) -> st.SearchStrategy[Pass]:
    key = st.integers(0, (1 << 64) - 1).map(PersonKey)
    named = kind in {PassKind.CARD, PassKind.OFFICER}
    number = st.binary(min_size=8, max_size=8)
    officer = st.integers(0, (1 << 32) - 1) if kind is PassKind.OFFICER else st.none()
    subject = key if named else st.none() | key
    if kind is PassKind.CARD:
        return st.builds(Pass, st.just(kind), number, subject)
    hours = st.builds(Hours, st.integers(0, 1439), st.integers(0, 1440), st.integers(1, 127))
    sites = st.sampled_from(["1", "a-", "kho-2", "nha-may-1"])
    return st.builds(
        Pass,
        st.just(kind),
        number,
        subject,
        st.sets(st.sampled_from(Place)).map(lambda found: tuple(p for p in Place if p in found)),
        st.sets(st.integers(1, 65_535), max_size=3).map(lambda found: tuple(sorted(found))),
        st.sets(sites, max_size=2).map(lambda found: tuple(sorted(found))),
        st.sets(hours, max_size=1).map(tuple),
        officer,
    )


holders = st.builds(
    Holder,
    st.text("ABCĐÊƠƯabcđêơư", min_size=1, max_size=10),
    st.none() | st.dates(EARLIEST_BIRTH, LATEST_BIRTH),
)


@st.composite
def pass_claims(draw: st.DrawFn) -> PassClaims:
    """Every pass that may be issued and fits, its lists in order."""
    granted = draw(st.sampled_from(list(PassKind)).flatmap(_any_of))
    issued, begins, expires = sorted(
        draw(st.lists(st.integers(0, MAX_TIME_S), min_size=3, max_size=3, unique=True))
    )
    not_before = begins if draw(st.booleans()) else None
    return PassClaims(granted, issued, expires, not_before, draw(st.none() | holders))
