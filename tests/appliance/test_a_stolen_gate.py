"""Protects those who passed from whoever takes the gate away: its whole disk names nobody.

The thief is the best there can be: has every file of the state, the region's hash key, knows that
somebody passed today, and tries every 32 bytes of every file as a key.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from admission.errors import SealError
from admission.identity import Identifier, IdentifierKind
from admission.journal_record import PassageRecord, opened, unpack_record
from admission.passage import Passage, code_digest
from admission.reset import DailyReset
from admission.sealing import OpenedSession, SealSession, raw_public
from appliance.journal_table import Remember
from appliance.judging import Judge
from appliance.pseudonym_key import KeyPlace, key_place
from appliance.pseudonyms import Pseudonyms
from appliance.secret import device_key
from cache.journal.file_journal import FileJournal
from cache.journal.frame import Frame, unpack_header
from cache.journal.scan import scan
from cache.replica import alias
from hub.keys import create_keys
from hub.seals import Seals
from tests.appliance.test_lane import CODE, DOCUMENT, GREEN, Gate
from tests.doors import KEY_OF
from tests.worlds import VIETNAM, a_reading

DOCUMENTS = [f"{int(DOCUMENT) + n:012}" for n in range(50)]
"""Everybody whom the thief has to try: fifty here, 10**12 where it counts."""
PASSED = DOCUMENTS[:8]
DAY_S = 86_400
RESET = DailyReset(4 * 60, VIETNAM)


def person_of(document: str) -> int:
    return alias.person_of(KEY_OF(Identifier(IdentifierKind.DOCUMENT, document)))


def code_of(document: str) -> str:
    return CODE.replace(DOCUMENT, document)


class StolenGate:
    """A gate at which eight people passed, and whose process is over."""

    def __init__(self, folder: Path, remember: Remember) -> None:
        self.state, self.memory, self.remember = folder / "state", folder / "memory", remember
        self.state.mkdir()
        self.memory.mkdir()
        self.hub = create_keys(folder / "hub")
        self.tokens = list[int]()

    def place(self) -> KeyPlace:
        return key_place(
            self.remember,
            self.state,
            environment={"XDG_RUNTIME_DIR": str(self.memory)},
            is_memory=lambda folder: folder == self.memory,
        )

    async def work(self, *, until_reset: bool = False) -> None:
        """Let everybody pass; then, if it is wanted, let the zone's reset come."""
        gate = Gate()
        gate.book.people = {
            Identifier(IdentifierKind.DOCUMENT, document): GREEN for document in DOCUMENTS
        }
        present = self.hub.seals.present
        assert present is not None
        journal = await FileJournal.open(
            self.state / "journal",
            monotonic_ns=time.monotonic_ns,
            random_bytes=os.urandom,
            recipient=present.public_key,
        )
        pseudonyms = await Pseudonyms.open(
            self.place(), RESET, journal, gate.clock, random_bytes=os.urandom
        )
        judge = Judge(
            "lane-1",
            gate.site,
            law=gate,
            book=gate.book,
            zone=gate.zone,
            used=gate.used,
            tokens=pseudonyms,
            direction=gate.lane.direction,
            digest_key=device_key(self.state / "device.key", os.urandom),
        )
        for document in PASSED:
            now = gate.clock.now()
            reading = a_reading(code_of(document))
            await journal.append(judge.entry(reading, judge.judge(reading, now), now))
        if until_reset:
            gate.clock.advance(DAY_S)
            pseudonyms.settle(gate.clock.now())
            await pseudonyms.write()
        await journal.close()

    @property
    def files(self) -> dict[str, bytes]:
        """All that is on its disk."""
        return {str(p): p.read_bytes() for p in self.state.rglob("*") if p.is_file()}

    def records(self) -> Iterator[tuple[bytes, SealSession | None, PassageRecord]]:
        """Yield what the journal holds: journal id, session, record."""
        for path in sorted((self.state / "journal").glob("*.journal")):
            data, session = path.read_bytes(), None
            header = unpack_header(data)
            assert header is not None
            for finding in scan(data, header.first_sequence):
                record = unpack_record(finding.packed) if isinstance(finding, Frame) else None
                if isinstance(record, SealSession):
                    session = record
                elif isinstance(record, PassageRecord):
                    yield header.journal, session, record

    def tokens_found(self) -> set[int]:
        """Return the tokens that are people's under some 32 bytes of the disk."""
        tokens = {record.passage.token for *_, record in self.records()} - {None}
        assert len(tokens) == len(PASSED)
        message = b"p" + person_of(PASSED[0]).to_bytes(8, "little")
        found = set()
        for key in self.keys():
            hashed = hashlib.blake2b(message, digest_size=8, key=key, person=b"chot token 1")
            found.add(int.from_bytes(hashed.digest(), "little"))
        return found & tokens  # type: ignore[arg-type]

    def keys(self) -> set[bytes]:
        """Return every 32 bytes of the disk."""
        return {
            data[place : place + 32]
            for data in self.files.values()
            for place in range(len(data) - 31)
        }


@pytest.fixture(params=Remember)
def remember(request: pytest.FixtureRequest) -> Remember:
    return request.param  # type: ignore[no-any-return]


async def test_the_disk_of_a_gate_names_nobody_and_the_hub_reads_all(
    tmp_path: Path, remember: Remember
) -> None:
    gate = StolenGate(tmp_path, remember)
    await gate.work(until_reset=True)
    assert gate.tokens_found() == set()
    digest_key = (gate.state / "device.key").read_bytes()
    for name, data in gate.files.items():
        for document in DOCUMENTS:
            person = person_of(document)
            digest = code_digest(code_of(document), digest_key)
            for form in (
                document.encode(), person.to_bytes(8, "little"), person.to_bytes(8, "big"),
                b"%d" % person, b"%x" % person, digest, digest.hex().encode(),
            ):  # fmt: skip
                assert form not in data, f"{form!r} in {name}"

    seals, read = Seals.of(gate.hub), list[Passage]()
    for journal, session, record in gate.records():
        assert session is not None
        read.append(opened(record, seals.session(session, journal)))
    assert [entry.person for entry in read] == [person_of(document) for document in PASSED]
    assert [entry.code_digest for entry in read] == [
        code_digest(code_of(document), digest_key) for document in PASSED
    ]


async def test_no_key_on_the_disk_opens_a_seal(tmp_path: Path) -> None:
    gate = StolenGate(tmp_path, Remember.UNTIL_RESET)
    await gate.work()
    _, session, record = next(gate.records())
    assert session is not None
    keys = gate.keys()
    assert len(keys) > 1_000
    for key in keys:
        # Neither the session's own private key is there, nor what was agreed on with it.
        assert (
            raw_public(X25519PrivateKey.from_private_bytes(key).public_key()) != session.ephemeral
        )
        with pytest.raises(SealError):
            OpenedSession(ChaCha20Poly1305(key)).open(record.seal, record.public)


async def test_the_attack_is_a_real_one(tmp_path: Path) -> None:
    # With the key of the running day on the disk it finds whom it looks for.
    gate = StolenGate(tmp_path, Remember.UNTIL_RESET)
    await gate.work()
    assert len(gate.tokens_found()) == 1
