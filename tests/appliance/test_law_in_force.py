"""Protects the law in force: a bad document changes nothing, a good one counts as a whole."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import Credential, CredentialKind, PassKind, Proof, Signature
from admission.credentials.dcc_revocations import write_revocations
from admission.credentials.pass_issuers import PassIssuer, pack_issuers
from admission.errors import TrustError
from admission.instant import ClockTrust
from admission.rulebook_loading import load_rulebook
from admission.site import Place
from appliance.law_in_force import READERS, LawInForce
from tests.worlds import ROOT, ManualClock, a_reading, a_site

SHIPPED = (ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes()
OWN = load_rulebook(SHIPPED)
NOW = ManualClock().now()
SITE = msgspec.structs.replace(a_site(Place.SUPERMARKET, 15), district_code=760)
ORDERS = json.dumps(
    {
        "format": "chot-orders/1",
        "orders": [{"district": 760, "directive": 16, "from": "2021-09-20T08:00:00+07:00"}],
    }
).encode()


def rulebook(**keys: Any) -> bytes:
    return json.dumps(json.loads(SHIPPED) | keys).encode()


def test_without_documents_the_sites_own_rulebook_and_directive_count() -> None:
    law = LawInForce(OWN)
    assert law.law.rulebook_at(SITE, NOW) is OWN
    assert law.law.site_at(SITE, NOW) is SITE
    assert law.law.read(a_reading("CHOT1:X"), NOW).kind is CredentialKind.UNRECOGNISED
    assert law.finding().ok


def test_an_order_changes_the_directive_from_its_hour_on() -> None:
    law = LawInForce(OWN)
    law.take({"orders": ORDERS})
    assert law.law.site_at(SITE, NOW).directive == 16
    before = msgspec.structs.replace(NOW, wall_ns=NOW.wall_ns - 1)
    assert law.law.site_at(SITE, before).directive == 15
    undated = msgspec.structs.replace(NOW, trust=ClockTrust.UNKNOWN)
    assert law.law.site_at(SITE, undated).directive == 15
    elsewhere = msgspec.structs.replace(SITE, district_code=761)
    assert law.law.site_at(elsewhere, NOW).directive == 15
    law.take({})
    assert law.law.site_at(SITE, NOW).directive == 15


def test_a_published_rulebook_of_the_district_takes_precedence() -> None:
    law = LawInForce(OWN)
    law.take({"rulebook/quan-1": rulebook(id="quan-1", districts=[760])})
    assert law.law.rulebook_at(SITE, NOW).id == "quan-1"


def test_a_document_that_cannot_be_used_leaves_the_one_before_in_force() -> None:
    law = LawInForce(OWN)
    law.take({"orders": ORDERS, "rulebook/quan-1": rulebook(id="quan-1")})
    law.take({"orders": b"{", "rulebook/quan-1": rulebook(id="quan-1", version=0)})
    assert law.law.site_at(SITE, NOW).directive == 16
    assert law.law.rulebook_at(SITE, NOW).id == "quan-1"
    finding = law.finding()
    assert not finding.ok
    assert "orders: " in finding.why
    assert "rulebook/quan-1: " in finding.why
    law.take({"orders": ORDERS, "rulebook/quan-1": rulebook(id="quan-1", version=2)})
    assert law.finding().ok
    assert law.law.rulebook_at(SITE, NOW).label == "quan-1/2"


def test_a_directive_that_the_rulebook_in_force_does_not_have_is_complained_of() -> None:
    law = LawInForce(OWN)
    assert law.directive(SITE, NOW).ok
    law.take({"orders": ORDERS.replace(b"16", b"99")})
    finding = law.directive(SITE, NOW)
    assert not finding.ok
    assert OWN.label in finding.why
    assert "99" in finding.why
    before = msgspec.structs.replace(NOW, wall_ns=NOW.wall_ns - 1)
    assert law.directive(SITE, before).ok
    assert law.directive(msgspec.structs.replace(SITE, district_code=761), NOW).ok


@pytest.mark.parametrize("data", [b"", b"{"])
@pytest.mark.parametrize("name", ["orders", "rulebook/quan-1"])
def test_a_law_that_could_not_be_read_at_start_is_not_whole(name: str, data: bytes) -> None:
    law = LawInForce(OWN)
    law.take({name: data})
    assert not law.law.whole
    assert not law.whole().ok
    assert name in law.finding().why
    law.take({})
    assert law.law.whole


@pytest.mark.parametrize("data", [b"", b"\xff"])
def test_revocations_that_could_not_be_read_are_not_taken_for_none(data: bytes) -> None:
    law = LawInForce(OWN)
    proof = Proof(Signature.VALID, "DE", key_id=b"12345678")
    certificate = Credential(CredentialKind.DCC, proof=proof)
    law.take({"revocation/dcc": data})
    with pytest.raises(TrustError):
        law.is_withdrawn(certificate, NOW)
    assert not law.is_withdrawn(Credential(CredentialKind.CHOT_PASS, proof=proof), NOW)
    law.take({"revocation/dcc": write_revocations(())})
    assert not law.is_withdrawn(certificate, NOW)
    law.take({"revocation/dcc": data})
    assert not law.is_withdrawn(certificate, NOW)


def test_a_defect_of_a_reader_is_the_documents_and_stops_no_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reader(_: bytes) -> None:
        raise MemoryError("NGUYEN VAN AN")

    monkeypatch.setitem(READERS, "trust/dcc", ("dcc", reader))
    law = LawInForce(OWN)
    law.take({"trust/dcc": b"x", "orders": ORDERS})
    assert law.law.site_at(SITE, NOW).directive == 16
    assert law.finding().why == "trust/dcc: MemoryError in its reader"


def test_keys_count_while_the_release_names_them() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    issuer = PassIssuer(key.public_key(), "district", frozenset({PassKind.CARD}))
    law = LawInForce(OWN)
    law.take({"trust/passes": pack_issuers([issuer])})
    assert len(law.law.trust.passes.issuers) == 1
    law.take({"trust/passes": b"\xff"})
    assert len(law.law.trust.passes.issuers) == 1
    law.take({})
    assert len(law.law.trust.passes.issuers) == 0


def test_what_this_version_does_not_know_is_passed_over() -> None:
    law = LawInForce(OWN)
    law.take({"something/new": b"?"})
    assert law.finding().ok


def test_published_value_sets_serve_rulebooks_that_have_none() -> None:
    rule = {
        "Identifier": "VR-VN-0001", "Type": "Acceptance", "Country": "VN", "Version": "1.0.0",
        "SchemaVersion": "1.0.0", "Engine": "CERTLOGIC", "EngineVersion": "0.7.5",
        "CertificateType": "Vaccination", "Description": [{"lang": "en", "desc": "listed"}],
        "ValidFrom": "2021-07-01T00:00:00Z", "ValidTo": "2030-12-31T00:00:00Z",
        "AffectedFields": ["v.0.mp"],
        "Logic": {"in": [{"var": "payload.v.0.mp"}, {"var": "external.valueSets.mps"}]},
    }  # fmt: skip
    law = LawInForce(OWN)
    values = json.dumps({"mps": ["EU/1/20/1528"]}).encode()
    law.take(
        {
            "values/dcc": values,
            "rulebook/abroad": rulebook(id="abroad", certificates={"rules": [rule]}),
            "rulebook/own-sets": rulebook(
                id="own-sets",
                version=7,
                districts=[761],
                certificates={"rules": [rule], "value_sets": {"mps": []}},
            ),
        }
    )
    by_id = {book.id: book for book in law.law.rulebooks}
    assert by_id["abroad"].value_sets == {"mps": ["EU/1/20/1528"]}
    assert by_id["own-sets"].value_sets == {"mps": []}
    assert by_id[OWN.id].value_sets == {}
