"""A journal with all that can stand in one, on a simulated disk, with its anchor."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.journal_record import (
    Followup,
    FollowupKind,
    pack_followup,
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
)
from admission.passage import Event, Passage
from admission.sealing import Sealer
from admission.upload import UPLOAD_VERSION, Mark, sign_mark
from cache.journal.anchor_keeper import AnchorKeeper
from cache.journal.catalogue import list_files
from cache.journal.medium import Medium
from cache.journal.recovery import Position
from tests.cache.journal.entries import JOURNAL, a_writer, an_entry, drafts
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")
DEVICE = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
HUB = Ed25519PrivateKey.from_private_bytes(b"\3" * 32)
SEAL = X25519PrivateKey.from_private_bytes(b"\4" * 32)
DAY_NS = 86_400_000_000_000
BORN_NS = 1_631_318_400_000_000_000
ROTATE_BYTES = 1_500


class Gate:
    """Writes a journal as a gate does: a session first in each file, then passages and more.

    The n-th file is of the n-th day. In `acts` stand the sequences of officers' acts, in `scans`
    those of scans, in `followups` what followed on which.
    """

    def __init__(self, medium: Medium, rng: Random, *, journal: bytes = JOURNAL) -> None:
        self.medium, self._rng = medium, rng
        self._segment = a_writer(medium, DIRECTORY, rotate_bytes=ROTATE_BYTES, journal=journal)
        self.marks: dict[int, Position] = {0: self._segment.position}
        self.mark = b""
        self.held = 0
        self.acts: set[int] = set()
        self.scans: set[int] = set()
        self.followups: dict[int, int] = {}
        self._files = 0
        self._sealer: Sealer | None = None
        self.keeper = AnchorKeeper(
            DIRECTORY, lambda: self.position, DEVICE, mark=lambda: self.mark, medium=medium
        )
        self.keeper.write()

    @property
    def disk(self) -> SimulatedDisk:
        assert isinstance(self.medium, SimulatedDisk)
        return self.medium

    @property
    def position(self) -> Position:
        return self._segment.position

    def write(self, entries: int, *, acts: bool = True) -> None:
        for _ in range(entries):
            self._begin_file()
            sequence = self.position.last_sequence + 1
            kind = self._rng.choice(("scan", "scan", "act", "followup")) if acts else "scan"
            if kind == "followup" and self.scans | self.acts:
                about = self._rng.choice(sorted(self.scans | self.acts)[-3:])
                self.followups[sequence] = about
                self._append(pack_followup(Followup(FollowupKind.ACTUATED, about, 12)))
            else:
                (self.acts if kind == "act" else self.scans).add(sequence)
                self._append(self._passage(sequence, act=kind == "act"))

    def acknowledge(self, through: int, *, wall_ns: int = BORN_NS + 1_000 * DAY_NS) -> None:
        """Take the hub's mark through an entry."""
        position, self.held = self.marks[through], through
        mark = Mark(
            UPLOAD_VERSION, "gate-1", position.journal, through, position.chain_hash, wall_ns
        )
        self.mark = sign_mark(mark, HUB)

    def _begin_file(self) -> None:
        self._segment.prepare()
        files = len(list_files(self.medium, DIRECTORY))
        if files > self._files:
            self._files = files
            self._sealer = Sealer(SEAL.public_key(), self._rng.randbytes(32), JOURNAL)
            self._append(pack_session(self._sealer.session))

    def _passage(self, sequence: int, *, act: bool) -> bytes:
        assert self._sealer is not None
        entry: Passage = msgspec.structs.replace(
            an_entry(sequence),
            wall_ns=BORN_NS + self._files * DAY_NS + sequence * 1_000_000,
            event=Event.CORRECTION if act else Event.SCAN,
            about=1 if act else None,
        )
        public = pack_public(entry)
        return pack_passage_record(public, self._sealer.seal(pack_sealed(entry), public))

    def _append(self, packed: bytes) -> None:
        position = self._segment.append_group(drafts([packed]))
        self.marks[position.last_sequence] = position


def a_gate(seed: int = 0, entries: int = 60) -> Gate:
    """Return a gate whose journal was written, partly acknowledged and anchored to its end."""
    gate = Gate(SimulatedDisk(), Random(seed))
    gate.write(entries)
    gate.acknowledge(gate.position.last_sequence * 2 // 3)
    gate.keeper.write()
    return gate
