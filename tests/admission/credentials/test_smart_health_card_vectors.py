"""Protects agreement with other verifiers: the framework's own cards, good and defective."""

from __future__ import annotations

import json
from datetime import date
from functools import cache

import pytest

from admission.credential import UNRECOGNISED, Holder, Signature
from admission.credentials.health_card_issuers import Issuers, issuers_from_jwks
from admission.credentials.smart_health_card import parse
from admission.standing import PersonFacts, Product
from tests.admission.credentials.health_cards import shc
from tests.worlds import chot_data

pytestmark = pytest.mark.data


@cache
def example_issuers() -> Issuers:
    folder = chot_data("smart-health-cards", "dev-tools-testdata")
    smart = issuers_from_jwks(
        "https://spec.smarthealth.cards/examples/issuer",
        (folder / "examples-issuer-jwks.json").read_bytes(),
    )
    crl = {"keys": [json.loads((folder / "badcrl" / "public.json").read_text())]}
    base = "https://raw.githubusercontent.com/smart-on-fhir/health-cards-dev-tools/main/testdata"
    keys = list(smart.keys)
    for name in ("too-long-rid", "non-base64url-rid"):
        keys += issuers_from_jwks(f"{base}/badcrl/{name}", json.dumps(crl).encode()).keys
    return Issuers(keys)


def test_the_example_of_the_specification_is_valid() -> None:
    (file,) = chot_data("smart-health-cards", "example").glob("*.txt")
    found = parse(file.read_text(), example_issuers())
    assert found.holder == Holder("Anyperson John B.", date(1951, 1, 20))
    assert found.proof is not None
    assert found.proof.signature is Signature.VALID
    assert found.certificate is not None
    assert found.certificate.facts == PersonFacts(
        doses=2, product=Product.MODERNA, last_dose=date(2021, 1, 29), born=date(1951, 1, 20)
    )


# Of the sixteen defects one is not a verifier's business: `Resource.meta` is what the framework
# asks issuers to leave out, to keep cards small. Its vaccine code is of a code system that does not
# exist, so that card proves no dose.
DEFECTS = {
    "bad-fhir-metadata": Signature.VALID,
    "der-signature": None,
    "der-signature-r-neg": None,
    "der-signature-rs-neg": None,
    "der-signature-s-neg": None,
    "invalid-signature": Signature.INVALID,
    "issuer-kid-mismatch": Signature.UNKNOWN_ISSUER,
    "issuer-not-valid-with-smart-key": Signature.UNKNOWN_ISSUER,
    "jws_too_long": None,
    "no_deflate": None,
    "no_jws_header_alg": None,
    "no_jws_header_kid": None,
    "no_jws_header_zip": None,
    "trailing_chars": None,
    "utf8_bom_prefix": None,
    "wrong_jws_header_kid": Signature.UNKNOWN_ISSUER,
}


@pytest.mark.parametrize(("name", "outcome"), DEFECTS.items())
def test_defective_jws_of_the_dev_tools_are_not_admitted(
    name: str, outcome: Signature | None
) -> None:
    file = (
        chot_data("smart-health-cards", "dev-tools-testdata") / f"test-example-00-d-jws-{name}.txt"
    )
    text = file.read_bytes().decode()
    # White space has no pair of digits: the code's own text cannot carry what follows this JWS.
    written = shc(text) if text == text.strip() else shc(text.strip()) + text[len(text.strip()) :]
    found = parse(written, example_issuers())
    assert found.certificate is None
    assert (found.proof and found.proof.signature) is outcome


def test_every_defective_code_of_the_dev_tools_is_unrecognised() -> None:
    folder = chot_data("smart-health-cards", "dev-tools-testdata")
    files = sorted(folder.glob("test-example-*-f-qr-code-*.txt"))
    assert len(files) >= 24
    for file in files:
        assert parse(file.read_bytes().decode(), example_issuers()) == UNRECOGNISED, file.name


@pytest.mark.parametrize(
    "name", ["invalid_issuer_url", "invalid_issuer_url_http", "issuer_url_with_trailing_slash"]
)
def test_urls_that_are_no_issuer_are_unrecognised(name: str) -> None:
    folder = chot_data("smart-health-cards", "dev-tools-testdata")
    content = json.loads((folder / f"test-example-00-e-file-{name}.smart-health-card").read_text())
    found = parse(shc(content["verifiableCredential"][0]), example_issuers())
    assert found.proof is None or found.proof.signature is Signature.UNKNOWN_ISSUER


@pytest.mark.parametrize("name", ["too-long-rid", "non-base64url-rid"])
def test_cards_with_a_revocation_identifier_are_looked_up_under_it(name: str) -> None:
    folder = chot_data("smart-health-cards", "dev-tools-testdata", "badcrl", name)
    found = parse(shc((folder / f"jws-crl-{name}.txt").read_text()), example_issuers())
    assert found.proof is not None
    assert found.proof.signature is Signature.VALID
    ((kid, rid),) = (named.value.split("/") for named in found.proof.withdrawn_as)
    assert kid == "hrvC0uzB16UXK83BnPo7Glg685b1D6iYOyJd5hpRaAA"
    assert 0 < len(rid) <= 24
