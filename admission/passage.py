"""The entry: what is logged of one verdict, and the hash chain that ties entries together.

An entry names nobody: the holder's name stays out, the person is a keyed hash and the code a keyed
digest. Every gate holds the region's hash key and could search by it for a number, so these two and
the officer leave the memory of a gate sealed for the hub (`journal_record`). What is left in the
clear is `token`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from admission.credential import Credential, CredentialKind, Doubt, Signature
from admission.instant import ClockTrust, Instant
from admission.reading import Reading, Symbology
from admission.site import Direction, Site
from admission.standing import Standing
from admission.verdict import Alert, Card, Outcome, Reason, Verdict

CHAIN_HASH_BYTES = 32
CODE_DIGEST_BYTES = 16
JOURNAL_ID_BYTES = 16
MAX_SEQUENCE = (1 << 63) - 1
"""The last number of an entry: databases hold no larger one."""


class Event(StrEnum):
    """What an entry is about. Values are on the wire; add, never rename."""

    SCAN = "scan"
    """A code was shown and answered."""
    OVERRIDE = "override"
    """An officer decided otherwise than the gate."""
    CORRECTION = "correction"
    """An officer asks for a record to be corrected."""
    COUNT = "count"
    """An officer corrected how many are inside: `note` is `zone.count_note`."""
    ENQUIRY = "enquiry"
    """Somebody at the appliance looked a number up: `note` is an `enquiry.Purpose`."""
    FORCED = "forced"
    """Somebody went through whom the gate had not admitted; see `incident` for these and below."""
    TAMPER = "tamper"
    """The housing was opened, or closed again: `note` says which."""
    FIRE = "fire"
    """The fire alarm began, or ended: `note` says which."""
    STOP = "stop"
    """The emergency stop was pressed, or released: `note` says which."""
    UNLISTED = "unlisted"
    """What happened at a gate and has no entry of its own: `note` says of what, and how often."""


class Passage(msgspec.Struct, frozen=True, array_like=True):
    """One verdict and its circumstances. Wire form: msgpack array in this order (`wire`).

    New fields go to the end and have a default, so that older and newer sides read each other.
    """

    site: str
    lane: str
    source: str
    symbology: Symbology
    kind: CredentialKind
    code_digest: bytes
    """Keyed digest of what was read (`digest_of`): tells repeats, gives nothing away."""
    person: int | None
    """`PersonKey` that was looked up, or None where the code names nobody."""
    outcome: Outcome
    card: Card
    reasons: tuple[Reason, ...]
    directive: int
    rulebook: str
    release: int | None
    """Sequence of the replica release that answered."""
    wall_ns: int
    monotonic_ns: int
    boot_id: str
    clock_trust: ClockTrust
    direction: Direction = Direction.IN
    event: Event = Event.SCAN
    about: int | None = None
    """Sequence of the entry that an officer's act is about, None for a scan."""
    officer: int | None = None
    """Number of the officer who acted."""
    note: str = ""
    """What an officer chose from a list: why a verdict was overridden, what is to be corrected."""
    alerts: tuple[Alert, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    worker: bool = False
    """Whether the person is on this site's roster: counts for its headcount."""
    token: int | None = None
    """Pseudonym of whom the entry is of, None for a code that is nobody's: 64 bits that tell the
    same person again until the gate forgets its key, and nothing else. Outside the seal."""


def code_digest(text: str, digest_key: bytes) -> bytes:
    """Return the digest by which a code is told from others: BLAKE2b (RFC 7693) of its text.

    :param digest_key: 16 to 64 secret bytes of this device.
    """
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=CODE_DIGEST_BYTES, key=digest_key).digest()


def digest_of(reading: Reading, credential: Credential, digest_key: bytes) -> bytes:
    """Return the digest by which a reading is told from others: of its text, as `code_digest`.

    Of a signed code whose proof holds and which names nobody on record it is that of what was
    signed. One signed message has many texts: white space behind it, another compression, and of
    every ECDSA signature (r, s) also (r, n - s), which anybody can make (SEC 1, 4.1.4). A code that
    is passed on must not become another one by that.
    """
    proof = credential.proof
    if credential.identifiers or proof is None or proof.signature is not Signature.VALID:
        return code_digest(reading.text, digest_key)
    certificate = credential.certificate
    signed = (
        proof.issuer,
        proof.withdrawn_as,
        proof.not_before_ns,
        proof.expires_ns,
        credential.holder,
        None if certificate is None else certificate.facts,
    )
    return code_digest(repr(signed), digest_key)


def passage(
    reading: Reading,
    credential: Credential,
    standing: Standing,
    verdict: Verdict,
    now: Instant,
    *,
    site: Site,
    lane: str,
    rulebook: str,
    digest_key: bytes,
    direction: Direction = Direction.IN,
    token: int | None = None,
) -> Passage:
    """Return the entry of one verdict.

    :param rulebook: identifier and version of the rulebook that decided.
    :param digest_key: as for `digest_of`.
    """
    return Passage(
        site=site.id,
        lane=lane,
        source=reading.source,
        symbology=reading.symbology,
        kind=credential.kind,
        code_digest=digest_of(reading, credential, digest_key),
        person=standing.person,
        outcome=verdict.outcome,
        card=verdict.card,
        reasons=verdict.reasons,
        directive=site.directive,
        rulebook=rulebook,
        release=standing.release.sequence if standing.release else None,
        wall_ns=now.wall_ns,
        monotonic_ns=now.monotonic_ns,
        boot_id=now.boot_id,
        clock_trust=now.trust,
        direction=direction,
        alerts=verdict.alerts,
        doubts=credential.doubts,
        worker=standing.roster is not None,
        token=token,
    )


def entry_without_code(
    site: Site, lane: str, *, source: str, event: Event, note: str, now: Instant
) -> Passage:
    """Return the entry of what happened without a code: of nobody, and it admits nobody.

    :param lane: empty where no lane is concerned.
    """
    return Passage(
        site=site.id,
        lane=lane,
        source=source,
        symbology=Symbology.UNSTATED,
        kind=CredentialKind.UNRECOGNISED,
        code_digest=b"",
        person=None,
        outcome=Outcome.REFER,
        card=Card.NONE,
        reasons=(),
        directive=site.directive,
        rulebook="",
        release=None,
        wall_ns=now.wall_ns,
        monotonic_ns=now.monotonic_ns,
        boot_id=now.boot_id,
        clock_trust=now.trust,
        event=event,
        note=note,
    )


def genesis(journal: bytes) -> bytes:
    """Return the hash that stands before the first entry of the journal with this 16-byte id."""
    return hashlib.sha256(b"chot journal\x00" + journal).digest()


def chained(previous: bytes, sequence: int, packed: bytes) -> bytes:
    """Return the chain hash of one entry: SHA-256 over the hash before, the sequence, the bytes.

    :param previous: 32 bytes, `genesis` for sequence 1.
    :param sequence: from 1, without gaps, at most 2⁶⁴ - 1; hashed as 8 little-endian bytes.
    :param packed: `wire.pack_passage` of the entry.
    """
    return hashlib.sha256(previous + sequence.to_bytes(8, "little") + packed).digest()
