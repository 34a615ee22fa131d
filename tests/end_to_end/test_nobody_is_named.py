"""Protects everybody who passes: a running gate leaves nobody in logs, metrics and files.

Only the replica on its disk holds people: all of them, whoever came here. And a restart of the
daemon knows again who passed, while after a power cut it is known how many are inside.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from admission.identity import Identifier, IdentifierKind, person_keyer
from admission.journal_record import PassageRecord, opened, unpack_record
from admission.logged_passage import LoggedPassage
from admission.passage import Event, Passage, code_digest
from admission.sealing import SealSession
from cache.journal.frame import Frame, unpack_header
from cache.journal.local.count_reading import read_counts
from cache.journal.scan import scan
from cache.replica.keys import load_hash_key
from hub.keys import load_keys
from hub.seals import Seals
from tests.end_to_end.running import RunningGate, RunningHub, get, until

STRANGER = "099987654321|TRAN THI RIENG TU|1991-02-03|1||"
PLAIN = re.compile(r"\d{12}\|[^|]+\|")


def test_a_day_at_the_gate_names_nobody(site: tuple[RunningHub, RunningGate]) -> None:
    hub, gate = site
    codes = [*(text for text in hub.texts() if PLAIN.match(text)), STRANGER][-8:]
    assert len(codes) == 8
    for text in codes:
        before = gate.verdicts()
        gate.scan(f"{text}\r".encode())
        until(lambda before=before: gate.verdicts() > before, "a verdict")  # type: ignore[misc]
    before_the_end = standing(gate)
    assert min(before_the_end) > 0
    health, metrics = get(f"{gate.url}/healthz")[1], get(f"{gate.url}/metrics")[1]
    core = Path(f"/proc/{gate.process.pid}/limits").read_text()  # type: ignore[union-attr]
    until(lambda: gate.stop() == 0, "the end of the gate")

    assert re.search(r"Max core file size +0 +0 ", core)
    assert json.loads(health)["checks"]["sealing"]["ok"]
    left = {"healthz": health, "metrics": metrics, "log": gate.log.read_bytes()}
    left |= {str(path): path.read_bytes() for path in files_of(gate.state)}
    assert any(".journal" in name for name in left)
    digest_key = (gate.state / "device.key").read_bytes()
    entries = list(opened_entries(gate.state / "journal", Seals.of(load_keys(hub.folder / "keys"))))
    scans = {entry.code_digest: entry for entry in entries if entry.event is Event.SCAN}
    assert scans.keys() == {code_digest(text, digest_key) for text in codes}
    key_of = person_keyer(load_hash_key(hub.folder / "keys/hash.key"))
    for text in codes:
        number, name, *_ = text.split("|")
        digest = code_digest(text, digest_key)
        people = {scans[digest].person, key_of(Identifier(IdentifierKind.DOCUMENT, number))}
        assert None not in people
        forms = {digest, digest.hex().encode(), *plain_of(number, name)}
        for form in forms.union(*map(forms_of, people)):
            found = [place for place, data in left.items() if form in data]
            assert found == [], f"{form!r} of {text}"

    gate.start()
    assert standing(gate) == before_the_end
    counted = sum(read_counts(gate.state / "journal.sqlite").counts.values())
    assert counted > len(codes)  # what followed is counted, too
    until(lambda: gate.metric("chot_journal_counted_entries_total") >= counted, "the counts")
    assert gate.stop() == 0
    for key in Path(os.environ["XDG_RUNTIME_DIR"]).glob("chot-*/pseudonyms.key"):
        key.unlink()  # as it goes with the power
    gate.start()
    assert standing(gate) == (before_the_end[0], 0)


def standing(gate: RunningGate) -> tuple[float, float]:
    """Return how many are counted inside, and how many people are known again."""
    return gate.metric("chot_zone_inside"), gate.metric("chot_zone_people_remembered")


def forms_of(person: int) -> Iterator[bytes]:
    """Yield the ways in which somebody's key might be written down."""
    for order in ("little", "big"):
        raw = person.to_bytes(8, order)  # type: ignore[arg-type]
        yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
    yield from (b"%d" % person, b"%d" % (person - (1 << 64)))


def plain_of(number: str, name: str) -> Iterator[bytes]:
    yield from (number.encode(), name.encode(), name.casefold().encode())
    yield int(number).to_bytes(8, "little").rstrip(b"\x00")


def files_of(state: Path) -> list[Path]:
    """Return all files of a gate's state but the replica's."""
    replica = state / "replica"
    return [path for path in state.rglob("*") if path.is_file() and replica not in path.parents]


def opened_entries(folder: Path, seals: Seals) -> Iterator[Passage]:
    """Yield what the hub's keys make of a gate's files."""
    for path in sorted(folder.glob("*.journal")):
        data = path.read_bytes()
        header = unpack_header(data)
        assert header is not None
        session = None
        for finding in scan(data, header.first_sequence):
            if not isinstance(finding, Frame):
                continue
            record = unpack_record(finding.packed)
            if isinstance(record, SealSession):
                session = seals.session(record, header.journal)
            elif isinstance(record, PassageRecord):
                assert isinstance(record.passage, LoggedPassage)
                yield opened(record, session)
