"""Sample credentials of a synthetic population: what people hold up to a demonstration's gates."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import msgspec

from admission.credential import CredentialKind
from admission.credentials import citizen_card, personal_qr, typed_code
from hub.synthetic import MAX_PEOPLE, Cohort, Population, Resident

NOT_FOUND = "not_found"
"""A well-formed credential of somebody who is not on record."""
UNRECOGNISED = "unrecognised"
"""No credential: foreign, forged or damaged."""

# Rare cases come up more often than in the population, so that a short show has them all.
_CASES: tuple[tuple[Cohort | str, int], ...] = (
    (Cohort.GREEN, 52),
    (Cohort.YELLOW, 14),
    (Cohort.NONE, 10),
    (Cohort.ISOLATED, 4),
    (Cohort.REVOKED, 4),
    (NOT_FOUND, 6),
    (UNRECOGNISED, 10),
)
_KINDS = (
    *(CredentialKind.PERSONAL_QR,) * 6,
    *(CredentialKind.CITIZEN_CARD,) * 3,
    CredentialKind.TYPED_CODE,
)
_TRIES = 5_000
"""Draws for a cohort of one in a hundred: all missing it would be one in 10²¹."""


class Sample(msgspec.Struct, frozen=True):
    """One code. `expected` is a `Cohort`, `NOT_FOUND` or `UNRECOGNISED`."""

    text: str
    kind: CredentialKind
    expected: str


def samples(population: Population, count: int, source: random.Random) -> Iterator[Sample]:
    """Yield codes of the population's people, with a few of strangers, forgers and leaflets.

    A cohort that is too small to be met in a tiny population gives way to whoever is drawn.
    """
    cases = [case for case, _ in _CASES]
    weights = [weight for _, weight in _CASES]
    for case in source.choices(cases, weights, k=count):
        if case == UNRECOGNISED:
            yield Sample(_foreign(population, source), CredentialKind.UNRECOGNISED, UNRECOGNISED)
            continue
        kind = source.choice(_KINDS)
        if isinstance(case, Cohort):
            index = _index_in(population, case, source)
            expected = population.cohort(index).value
        else:
            index = population.size + source.randrange(MAX_PEOPLE - population.size)
            expected = NOT_FOUND
        yield Sample(_RENDER[kind](population.resident(index)), kind, expected)


def json_lines(codes: Iterator[Sample]) -> Iterator[bytes]:
    """Yield each sample as one line of JSON in UTF-8, with its line feed."""
    encode = msgspec.json.Encoder().encode
    return (encode(code) + b"\n" for code in codes)


def _index_in(population: Population, cohort: Cohort, source: random.Random) -> int:
    for _ in range(_TRIES):
        index = source.randrange(population.size)
        if population.cohort(index) is cohort:
            break
    return index


def _personal_qr(holder: Resident) -> str:
    return personal_qr.render(
        document=holder.document, name=holder.name, born=holder.born, qid=holder.qid
    )


def _citizen_card(holder: Resident) -> str:
    return citizen_card.render(
        cccd=holder.document,
        name=holder.name,
        born=holder.born,
        sex="Nữ" if holder.female else "Nam",
        address=holder.address,
        issued=holder.card_issued,
    )


def _typed_code(holder: Resident) -> str:
    return typed_code.render(holder.code)


_RENDER: dict[CredentialKind, Callable[[Resident], str]] = {
    CredentialKind.PERSONAL_QR: _personal_qr,
    CredentialKind.CITIZEN_CARD: _citizen_card,
    CredentialKind.TYPED_CODE: _typed_code,
}


def _foreign(population: Population, source: random.Random) -> str:
    """Return one line of printable text that is no credential."""
    holder = population.resident(source.randrange(population.size))
    code = _typed_code(holder)
    forged_check = code[:-1] + str((int(code[-1]) + source.randint(1, 9)) % 10)
    noise = "".join(chr(source.randint(0x21, 0x7B)) for _ in range(source.randint(1, 120)))
    return source.choice(
        (
            forged_check,
            _personal_qr(holder).rsplit("|", 2)[0],
            _citizen_card(holder) + "|1",
            f"HC1:{noise}",
            f"https://example.org/{noise}",
            noise,
        )
    )
