"""Protects whoever reads docs/pass.md: its vectors, dump and verifier agree with the gate."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.credential import PassKind
from admission.credentials.chot_pass import parse, read_unverified
from admission.credentials.pass_issuers import PassIssuer, PassIssuers, pack_issuers, read_issuers
from tests.admission.credentials import pass_vectors
from tests.worlds import ROOT

GOLDEN: dict[str, Any] = json.loads(pass_vectors.FILE.read_bytes())
PAGE = (ROOT / "docs" / "pass.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _issuers() -> PassIssuers:
    return read_issuers(
        pack_issuers(
            PassIssuer(
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(entry["key"])),
                entry["name"],
                frozenset(PassKind(kind) for kind in entry["kinds"]),
            )
            for entry in GOLDEN["issuers"]
        )
    )


ISSUERS = _issuers()


def _answer(text: str) -> str:
    proof = parse(text, ISSUERS).proof
    return "unrecognised" if proof is None else proof.signature.value


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_the_gate_answers_every_vector(vector: dict[str, Any]) -> None:
    assert _answer(vector["text"]) == vector["expected"]
    if "claims" in vector:
        claims = read_unverified(vector["text"])
        assert claims.granted.number.hex() == vector["claims"]["cti"]
        assert claims.expires_s == vector["claims"]["exp"]
        assert claims.issued_s == vector["claims"]["iat"]
        assert claims.from_s == vector["claims"].get("nbf", claims.issued_s)


def test_the_file_is_what_the_code_makes() -> None:
    assert pass_vectors.FILE.read_text(encoding="ascii") == pass_vectors.rendered()


def test_the_verifier_of_the_page_answers_every_vector() -> None:
    (source,) = _blocks("python")
    page: dict[str, Any] = {}
    exec(compile(source, "docs/pass.md", "exec"), page)
    issuers = {
        bytes.fromhex(entry["kid"]): (bytes.fromhex(entry["key"]), entry["kinds"])
        for entry in GOLDEN["issuers"]
    }
    for vector in GOLDEN["vectors"]:
        assert page["verify"](vector["text"], issuers)[0] == vector["expected"], vector["name"]


def test_the_annotated_dump_is_the_first_vector() -> None:
    (dump,) = _blocks("hexdump")
    message = "".join(line.partition("#")[0] for line in dump.splitlines())
    assert bytes.fromhex(message).hex() == GOLDEN["vectors"][0]["message"]
    (text,) = _blocks("text")
    assert text.replace("\n", "") == GOLDEN["vectors"][0]["text"]
