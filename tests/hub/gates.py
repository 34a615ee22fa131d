"""Gates for the hub's tests: entries as a journal would have chained them."""

from __future__ import annotations

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import CredentialKind
from admission.instant import ClockTrust
from admission.passage import Passage, chained, genesis
from admission.reading import Symbology
from admission.upload import SignedBatch, make_batch, sign_batch
from admission.verdict import Card, Outcome, Reason
from admission.wire import Entry, pack_passage

JOURNAL = bytes(range(16))
DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)


def a_passage(number: int) -> Passage:
    return Passage(
        site="site-1",
        lane="lane-1",
        source="camera-1",
        symbology=Symbology.QR_CODE,
        kind=CredentialKind.PERSONAL_QR,
        code_digest=number.to_bytes(16, "big"),
        person=(1 << 64) - 1 - number,
        outcome=Outcome.ADMIT,
        card=Card.GREEN,
        reasons=(Reason.CARD_OPENS,),
        directive=15,
        rulebook="hcmc-2021-09/1",
        release=1,
        wall_ns=1_632_099_600_000_000_000 + number,
        monotonic_ns=number,
        boot_id="boot-1",
        clock_trust=ClockTrust.SYNCHRONISED,
    )


def chain(packed: list[bytes], journal: bytes = JOURNAL) -> list[Entry]:
    entries, previous = [], genesis(journal)
    for sequence, data in enumerate(packed, start=1):
        previous = chained(previous, sequence, data)
        entries.append(Entry(sequence, previous, data))
    return entries


def entries_of(count: int, journal: bytes = JOURNAL) -> list[Entry]:
    return chain([pack_passage(a_passage(number)) for number in range(1, count + 1)], journal)


def a_batch(entries: list[Entry], device: str = "gate-1", journal: bytes = JOURNAL) -> SignedBatch:
    return make_batch(device, journal, entries[0].sequence, entries, sent_ns=0)


def a_signed_batch(
    entries: list[Entry],
    *,
    device: str = "gate-1",
    journal: bytes = JOURNAL,
    first: int | None = None,
    key: Ed25519PrivateKey = DEVICE_KEY,
) -> bytes:
    """Return the body of an upload."""
    start = first or (entries[0].sequence if entries else 1)
    batch = make_batch(device, journal, start, entries, sent_ns=0)
    return zstandard.compress(sign_batch(batch, key))
