"""A scan as a supermarket's gate writes it: four lanes, 700 ms apart."""

from __future__ import annotations

import random

from admission.credential import CredentialKind
from admission.instant import Instant
from admission.passage import CODE_DIGEST_BYTES, Passage
from admission.reading import Symbology
from admission.verdict import Card, Outcome, Reason

_BETWEEN_NS = 700_000_000


def a_scan(number: int, first: Instant, draw: random.Random) -> Passage:
    """Return the passage of somebody, the `number`th after the moment `first`."""
    wait_ns = number * _BETWEEN_NS + draw.randrange(600) * 1_000_000
    return Passage(
        site="supermarket-17",
        lane=f"lane-{draw.randrange(4)}",
        source=f"camera-{draw.randrange(4)}",
        symbology=Symbology.QR_CODE,
        kind=CredentialKind.PERSONAL_QR,
        code_digest=draw.randbytes(CODE_DIGEST_BYTES),
        person=draw.getrandbits(64),
        outcome=Outcome.ADMIT,
        card=Card.GREEN,
        reasons=(Reason.CARD_OPENS,),
        directive=15,
        rulebook="hcmc-2021-09/1",
        release=1_204,
        wall_ns=first.wall_ns + wait_ns,
        monotonic_ns=first.monotonic_ns + wait_ns,
        boot_id=first.boot_id,
        clock_trust=first.trust,
        token=draw.getrandbits(64),
    )
