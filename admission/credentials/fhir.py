"""What the FHIR bundle of a SMART Health Card says, in the terms of the replica.

FHIR R4 (4.0.1) in the profiles of the SMART Health Cards: Vaccination & Testing implementation
guide. One Patient; Immunizations and laboratory Observations that refer to it. Whatever else a
bundle holds is stepped over: what is not understood proves nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from admission import datetimes
from admission.credential import Certificate, Evidence, Holder
from admission.credentials import fields, vaccines
from admission.errors import RuleError
from admission.standing import PersonFacts, Product, TestResult

MAX_ENTRIES = 64
"""Resources of one bundle that are looked at."""
MAX_CODINGS = 16

LOINC, SNOMED_CT = "http://loinc.org", "http://snomed.info/sct"
# Nucleic acid and antigen tests of a person for SARS-CoV-2, from LOINC's group for SARS-CoV-2.
# Antibody tests are left out: they say nothing about an infection now.
_TESTS = frozenset(
    {
        "94306-8", "94307-6", "94308-4", "94309-2", "94310-0", "94314-2", "94315-9", "94316-7",
        "94500-6", "94502-2", "94531-1", "94533-7", "94534-5", "94558-4", "94559-2", "94565-9",
        "94639-2", "94640-0", "94641-8", "94642-6", "94646-7", "94660-8", "94756-4", "94757-2",
        "94758-0", "94759-8", "94760-6", "94767-1", "94845-5", "95209-3", "95406-5", "95409-9",
        "95423-0", "95425-5", "95608-6", "95609-4", "95824-9", "96119-3", "96123-5", "96448-6",
        "97097-0",
    }
)  # fmt: skip
_RESULTS = {
    "260373001": TestResult.POSITIVE,  # detected
    "10828004": TestResult.POSITIVE,  # positive
    "260415000": TestResult.NEGATIVE,  # not detected
    "260385009": TestResult.NEGATIVE,  # negative
}
_FINAL = frozenset({"final", "amended", "corrected"})


class _Test(msgspec.Struct, frozen=True, gc=False):
    taken_h: int
    result: TestResult


def read_bundle(bundle: Any) -> tuple[Holder | None, Certificate | None]:
    """Return who a bundle is about, and its certificate if it proves a dose or a test. No raising.

    A dose is a completed Immunization with a code of a vaccine against COVID-19 and a date; those
    of one day are one dose. A date without a day counts as the last that it allows. A test is a
    final Observation with the code of a test for the virus (not for antibodies) and a result; one
    without a time was taken at 00:00 UTC. A bundle about nobody, or about several people, proves
    nothing.
    """
    resources = _resources(bundle)
    patients = [(url, r) for url, r in resources if r.get("resourceType") == "Patient"]
    if len(patients) != 1:
        return None, None
    ((patient_url, patient),) = patients
    doses: dict[date, Product] = {}
    tests: list[_Test] = []
    for _, resource in resources:
        kind = resource.get("resourceType")
        if kind == "Immunization" and _refers_to(resource.get("patient"), patient_url):
            dose = _dose(resource)
            if dose is not None:
                doses[dose[0]] = dose[1]
        elif kind == "Observation" and _refers_to(resource.get("subject"), patient_url):
            test = _test(resource)
            if test is not None:
                tests.append(test)
    born = whole_date(patient.get("birthDate"))
    return _holder(patient, born), _certificate(doses, tests, born)


def _refers_to(subject: Any, url: str) -> bool:
    return isinstance(subject, dict) and subject.get("reference") == url


def _certificate(
    doses: dict[date, Product], tests: list[_Test], born: date | None
) -> Certificate | None:
    if not doses and not tests:
        return None
    last = max(doses, default=None)
    test = max(tests, key=lambda test: test.taken_h, default=None)
    facts = PersonFacts(
        doses=len(doses),
        product=Product.NONE if last is None else doses[last],
        last_dose=last,
        born=born,
        tested_h=None if test is None else test.taken_h,
        test_result=TestResult.NONE if test is None else test.result,
    )
    return Certificate(Evidence.VACCINATION if doses else Evidence.TEST, facts)


def _resources(bundle: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the resources with their URLs. Looked up by hand: `match` costs several times more."""
    is_bundle = isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle"
    entries = bundle.get("entry") if is_bundle else None
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        return []
    resources = []
    for entry in entries:
        if isinstance(entry, dict):
            url, resource = entry.get("fullUrl"), entry.get("resource")
            if isinstance(url, str) and isinstance(resource, dict):
                resources.append((url, resource))
    return resources


def _dose(resource: dict[str, Any]) -> tuple[date, Product] | None:
    if resource.get("status") != "completed":
        return None
    products = [
        product
        for system, code in _codings(resource.get("vaccineCode"))
        if (product := vaccines.product_of_code(system, code)) is not None
    ]
    given = _last_date(resource.get("occurrenceDateTime"))
    if not products or given is None:
        return None
    return given, next((p for p in products if p is not Product.OTHER), Product.OTHER)


def _test(resource: dict[str, Any]) -> _Test | None:
    known = any(s == LOINC and c in _TESTS for s, c in _codings(resource.get("code")))
    status = resource.get("status")
    if not known or not isinstance(status, str) or status not in _FINAL:
        return None
    taken_h = hour_of(resource.get("effectiveDateTime"))
    results = {
        _RESULTS[code]
        for system, code in _codings(resource.get("valueCodeableConcept"))
        if system == SNOMED_CT and code in _RESULTS
    }
    return _Test(taken_h, results.pop()) if taken_h is not None and len(results) == 1 else None


def _codings(concept: Any) -> list[tuple[str, str]]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    if not isinstance(codings, list) or len(codings) > MAX_CODINGS:
        return []
    found = []
    for coding in codings:
        if isinstance(coding, dict):
            system, code = coding.get("system"), coding.get("code")
            if isinstance(system, str) and isinstance(code, str):
                found.append((system, code))
    return found


def _holder(patient: dict[str, Any], born: date | None) -> Holder | None:
    match patient.get("name"):
        case [{"family": str(family), "given": [*given]}, *_] if len(given) <= MAX_CODINGS:
            words = [family, *(word for word in given if isinstance(word, str))]
        case [{"family": str(family)}, *_]:
            words = [family]
        case [{"text": str(text)}, *_]:
            words = [text]
        case _:
            return None
    return holder_of(" ".join(words), born)


def holder_of(name: str, born: date | None) -> Holder | None:
    """Return the holder of a name that can be shown, family name first; None for any other."""
    if len(name) > fields.MAX_NAME_LENGTH or not fields.is_clean(name) or not name.strip():
        return None
    return Holder(" ".join(name.split()), born)


def hour_of(text: Any) -> int | None:
    """Return the hour since the epoch (UTC) in which a FHIR dateTime lies, None if it is none."""
    if not isinstance(text, str) or len(text) < len("YYYY-MM-DD"):
        return None
    try:
        moment = datetimes.parse(text)
    except RuleError:
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 24 + since.seconds // 3_600


def _last_date(text: Any) -> date | None:
    """Return the calendar date where it was written, the last one that a partial date allows."""
    if not isinstance(text, str):
        return None
    whole = whole_date(text)
    if whole is not None:  # as nearly all are written
        return whole
    try:
        moment = datetimes.parse(text)
    except RuleError:
        return None
    return whole_date(text[:10]) if len(text) >= 10 else moment.date()


def whole_date(text: Any) -> date | None:
    """Return the date of `YYYY-MM-DD`, None for anything else. Never raises."""
    return fields.year_first(text) if isinstance(text, str) else None
