"""One campaign: hostile inputs in a row, what each took, and what the process grew by."""

from __future__ import annotations

import gc
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from functools import cache
from pathlib import Path
from resource import getpagesize
from typing import NamedTuple

import msgspec

from admission.acceptance import Acceptance, load_acceptance
from admission.credential import Certificate, Credential, Proof
from admission.credentials import (
    backup_number,
    chot_pass,
    citizen_card,
    dcc,
    insurance_card,
    parse,
    personal_qr,
    rotating_code,
    smart_health_card,
    typed_code,
    vds_nc,
)
from admission.instant import Instant
from admission.reading import Reading, Symbology
from tests.fuzz.codes import GENERATORS, dsc, trust
from tests.fuzz.documents import readers
from tests.fuzz.mutations import Mutator
from tests.fuzz.reader import spoilt
from tests.worlds import ManualClock

CODE_LIMIT_S = 0.05
"""CPU time of the slowest code. Typical is a tenth of a millisecond."""
DOCUMENT_LIMIT_S = 1.0
"""CPU time of the slowest document: a rulebook tries all of its rules when it is loaded."""
KEPT = 20
_NOW = ManualClock().now()
PARSERS: tuple[Callable[[str], Credential], ...] = (
    backup_number.parse,
    citizen_card.parse,
    insurance_card.parse,
    personal_qr.parse,
    typed_code.parse,
    lambda text: chot_pass.parse(text, trust().passes),
    lambda text: dcc.parse(text, trust().dcc),
    lambda text: rotating_code.parse(text, trust().rotating, _NOW),
    lambda text: smart_health_card.parse(text, trust().health_cards),
    lambda text: vds_nc.parse(text, trust().seals),
)
"""Each format's own parser, which promises the same without the checks before it."""


class Finding(msgspec.Struct, frozen=True):
    """What one input did that it must not do."""

    target: str
    what: str
    value: str


class Attempt(NamedTuple):
    """One input, what reads it, and what that may do. No `allowed` error for codes."""

    target: str
    read: Callable[[], object]
    value: str | bytes
    limit_s: float | None
    allowed: type[Exception] | None = None


class Report(msgspec.Struct):
    """What a campaign found. `slowest_s` is CPU time by target; growth is of resident memory."""

    inputs: Counter[str] = msgspec.field(default_factory=Counter)
    kinds: Counter[str] = msgspec.field(default_factory=Counter)
    slowest_s: dict[str, float] = msgspec.field(default_factory=dict)
    findings: list[Finding] = msgspec.field(default_factory=list)
    growth_bytes: int = 0

    def add(self, target: str, what: str, value: str | bytes) -> None:
        known = any(f.target == target and f.what == what for f in self.findings)
        if not known and len(self.findings) < KEPT:
            self.findings.append(Finding(target, what, repr(value)[:2_000]))


def run(seed: int, *, cpu_s: float = 0.0, rounds: int | None = None, timed: bool = True) -> Report:
    """Return the report of a campaign over every parser and reader.

    :param cpu_s: its length in CPU time; or `rounds`, how many inputs each target gets.
    :param timed: whether an input that takes too long is a finding.
    """
    mutator, report = Mutator(seed), Report()
    began, done, resident = time.process_time(), 0, 0

    def elapsed_s() -> float:
        return time.process_time() - began

    while done < rounds if rounds is not None else elapsed_s() < cpu_s:
        for name in GENERATORS:
            _code(name, mutator, report, timed=timed)
        for name in readers() if done % 4 == 0 else ():
            _document(name, mutator, report, timed=timed)
        done += 1
        if not resident and rounds is None and elapsed_s() > cpu_s / 4:  # caches are warm by then
            resident = _resident_bytes()
    report.growth_bytes = _resident_bytes() - resident if resident else 0
    return report


def _code(name: str, mutator: Mutator, report: Report, *, timed: bool) -> None:
    text = GENERATORS[name](mutator)
    reading = Reading(text, Symbology.QR_CODE, "fuzz", 0, payload=text.encode("utf-8", "replace"))
    now: Instant | None = _NOW if mutator.one_in(2) else None
    verified = name == "dcc" and mutator.one_in(8)
    alone = mutator.random.choice(PARSERS)

    def read() -> None:
        report.kinds[_used(parse(reading, trust(), now)).kind] += 1
        alone(text)
        if verified:
            dcc.verify(text, dsc=[dsc()], now=_NOW.at(UTC))

    _try(Attempt(name, read, text, CODE_LIMIT_S if timed else None), report)


def _used(found: Credential) -> Credential:
    """Do with a credential what a gate does next: show it, look it up, hold it against rules."""
    msgspec.json.encode((found.holder, found.identifiers, found.proof))
    if found.proof is not None:
        trust().revoked.holds(found.proof.key_id, found.proof.withdrawn_as, _NOW.wall_ns)
    if found.certificate is not None:
        _accepted(found.certificate, found.proof)
    return found


@cache
def _rules() -> Acceptance:
    return load_acceptance(readers()["acceptance rules"].seeds[0])


def _accepted(certificate: Certificate, proof: Proof | None) -> None:
    _rules().judge(
        certificate.data,
        certificate.evidence,
        _NOW,
        {"dn": ["1", "2"]},
        issued_ns=proof.not_before_ns if proof else None,
        expires_ns=proof.expires_ns if proof else None,
    )


def _document(name: str, mutator: Mutator, report: Report, *, timed: bool) -> None:
    reader = readers()[name]
    data = spoilt(mutator, reader)
    limit_s = DOCUMENT_LIMIT_S if timed else None
    _try(Attempt(name, lambda: reader.read(data), data, limit_s, reader.error), report)


def _try(attempt: Attempt, report: Report) -> None:
    name, limit_s = attempt.target, attempt.limit_s
    report.inputs[name] += 1
    took_s = _took_s(attempt, report)
    if limit_s is not None and took_s > limit_s:  # again: the collector may have come in between
        took_s = min(took_s, *(_took_s(attempt, report) for _ in range(3)))
        if took_s > limit_s:
            report.add(name, f"took more than {limit_s} s of CPU time", attempt.value)
    report.slowest_s[name] = max(took_s, report.slowest_s.get(name, 0.0))


def _took_s(attempt: Attempt, report: Report) -> float:
    began = time.process_time()
    try:
        attempt.read()
    except Exception as error:  # noqa: BLE001 - what nobody expected is what is looked for
        if attempt.allowed is None or not isinstance(error, attempt.allowed):
            report.add(attempt.target, traceback.format_exc(limit=-4), attempt.value)
    return time.process_time() - began


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * getpagesize()
