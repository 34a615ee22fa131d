"""Passages as a city's gates write them: many people, some sites, the minutes before now."""

from __future__ import annotations

import random

from admission.credential import CredentialKind
from admission.instant import Instant
from admission.passage import CODE_DIGEST_BYTES, Passage
from admission.reading import Symbology
from admission.verdict import Card, Outcome, Reason

SITES = 50
_NS_PER_S = 1_000_000_000


def a_passage(number: int, now: Instant, source: random.Random | None = None) -> Passage:
    """Return the passage of somebody, a little before now."""
    some = source or random.Random()
    admitted = some.random() < 0.9
    return Passage(
        site=f"site-{some.randrange(SITES)}",
        lane="lane-1",
        source="camera-1",
        symbology=Symbology.QR_CODE,
        kind=CredentialKind.CITIZEN_CARD,
        code_digest=some.randbytes(CODE_DIGEST_BYTES),
        person=some.getrandbits(64),
        outcome=Outcome.ADMIT if admitted else Outcome.REFUSE,
        card=Card.GREEN if admitted else Card.NONE,
        reasons=(Reason.CARD_OPENS,) if admitted else (Reason.CARD_DOES_NOT_OPEN,),
        directive=16,
        rulebook="hcmc-2021-09/1",
        release=number,
        wall_ns=now.wall_ns - some.randrange(60 * _NS_PER_S),
        monotonic_ns=number * _NS_PER_S,
        boot_id=now.boot_id,
        clock_trust=now.trust,
        token=some.getrandbits(64),
    )
