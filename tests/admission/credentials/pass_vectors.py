"""Makes docs/pass-vectors.json; `python -m tests.admission.credentials.pass_vectors` writes it.

Keys, numbers and names are nobody's. Each vector says what a gate has to answer.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import cbor2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.credential import Holder, Pass, PassKind
from admission.credentials import base45, cose, pass_claims
from admission.credentials.chot_pass import PREFIX, sign_pass
from admission.credentials.pass_content import PassClaims
from admission.credentials.pass_issuers import key_id
from admission.hours import Hours
from admission.identity import PersonKey
from admission.site import Place
from tests.admission.credentials.passes import DAY_S, ISSUED_S, KEY, OTHER_KEY, a_permit
from tests.worlds import ROOT

FILE = ROOT / "docs" / "pass-vectors.json"
VISITORS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
SUBJECT = PersonKey(0x1122334455667788)
NUMBER = bytes.fromhex("0123456789abcdef")


def document() -> dict[str, Any]:
    """Return the whole file's content."""
    return {
        "about": "Test vectors of the Chot pass, format CHOT1; see pass.md.",
        "issuers": [
            {
                "seed": key.private_bytes_raw().hex(),
                "key": key.public_key().public_bytes_raw().hex(),
                "kid": key_id(key.public_key()).hex(),
                "name": name,
                "kinds": kinds,
            }
            for key, name, kinds in (
                (KEY, "Issuing office", [kind.value for kind in PassKind]),
                (VISITORS_KEY, "Factory", [PassKind.VISITOR.value]),
            )
        ],
        "vectors": [*_genuine(), *_refused()],
    }


def _genuine() -> list[dict[str, Any]]:
    permit = a_permit()
    officer = Pass(PassKind.OFFICER, NUMBER, SUBJECT, districts=(760,), officer=4_016)
    visitor = Pass(
        PassKind.VISITOR,
        NUMBER,
        sites=("kho-2", "nha-may-1"),
        hours=(Hours(0, 360), Hours(22 * 60, 6 * 60, 0b100_0000)),
    )
    card = PassClaims(
        Pass(PassKind.CARD, NUMBER, SUBJECT),
        ISSUED_S,
        ISSUED_S + 365 * DAY_S,
        None,
        Holder("NGUYEN VAN AN", date(1954, 4, 30)),
    )
    longest = msgspec.structs.replace(
        a_permit(places=tuple(Place)), not_before_s=ISSUED_S + 3600, holder=Holder("A" * 46)
    )
    return [
        _valid("permit", permit),
        _valid("personal card, born before 1970", card),
        _valid("visitor's pass for two sites, nobody named", PassClaims(visitor, 0, 1)),
        _valid("officer's badge", PassClaims(officer, ISSUED_S, ISSUED_S + DAY_S, ISSUED_S)),
        _valid("longest pass", longest),
        _valid("visitor's pass of a factory", PassClaims(visitor, 0, 1), VISITORS_KEY),
        {
            "name": "white space behind the text",
            "expected": "valid",
            "text": sign_pass(permit, KEY) + " \r\n",
        },
    ]


def _refused() -> list[dict[str, Any]]:
    payload = pass_claims.encode(a_permit())
    good = _message(payload)
    content = cbor2.loads(payload)
    private = content[pass_claims.PASS]
    wrong_use, unknown = _signed(payload, VISITORS_KEY), _signed(payload, OTHER_KEY)
    forged = cose.sign(payload, OTHER_KEY, key_id=key_id(KEY.public_key()))[1:]
    changed = good.replace(b"Nguy", b"Nguj")
    text = PREFIX + base45.encode(good)

    def under(claims: dict[Any, Any]) -> bytes:
        return _message(cbor2.dumps({**content, pass_claims.PASS: claims}, canonical=True))

    return [
        _vector("a letter of the name changed", "invalid", changed),
        _vector("signed with another key under the issuer's kid", "invalid", forged),
        _vector("signed by nobody who is trusted", "unknown_issuer", unknown),
        _vector("a permit signed with the factory's key", "wrong_use", wrong_use),
        _vector("COSE tag 18", "unrecognised", b"\xd2" + good),
        _vector("a byte behind the message", "unrecognised", good + b"\x00"),
        _vector("array head of two bytes", "unrecognised", b"\x98\x04" + good[1:]),
        _vector("payload followed by a byte", "unrecognised", _message(payload + b"\x00")),
        _vector(
            "claims in another order",
            "unrecognised",
            _message(cbor2.dumps(dict(reversed(content.items())))),
        ),
        _vector(
            "an integer that is longer than it needs to be",
            "unrecognised",
            _message(payload.replace(b"\x03\x03", b"\x03\x18\x03", 1)),
        ),
        _vector("a claim that is not in the registry", "unrecognised", under({**private, 10: 1})),
        _vector("an empty list of districts", "unrecognised", under({**private, 4: []})),
        _vector("districts not ascending", "unrecognised", under({**private, 4: [769, 760]})),
        _vector("a kind of place unknown here", "unrecognised", under({**private, 3: 1 << 11})),
        _vector("a kind of pass unknown here", "unrecognised", under({**private, 1: 5})),
        _vector("no kind", "unrecognised", under({2: private[2]})),
        _vector("a card with rights", "unrecognised", under({**private, 1: 1})),
        _vector("a card that names nobody", "unrecognised", under({1: 1})),
        _vector("a permit with an officer's number", "unrecognised", under({**private, 9: 1})),
        _vector("a birth date without a name", "unrecognised", under({1: 2, 8: 6226})),
        _vector("hours that end at minute 1441", "unrecognised", under({1: 2, 6: [[0, 1441, 1]]})),
        _vector("no day of the week", "unrecognised", under({1: 2, 6: [[0, 60, 0]]})),
        _vector("a site id in capitals", "unrecognised", under({1: 2, 5: ["KHO-2"]})),
        _vector("a name with a line feed", "unrecognised", under({1: 2, 7: "A\nB"})),
        _vector("a name not in form C", "unrecognised", under({1: 2, 7: "A\u0301"})),
        _vector(
            "expiry at the moment of issue",
            "unrecognised",
            _message(cbor2.dumps({**content, 4: ISSUED_S}, canonical=True)),
        ),
        _vector(
            "a pass number of seven bytes",
            "unrecognised",
            _message(cbor2.dumps({**content, 7: bytes(7)}, canonical=True)),
        ),
        {"name": "small letters", "expected": "unrecognised", "text": text.lower()},
        {"name": "another prefix", "expected": "unrecognised", "text": text.replace("1", "2", 1)},
        {"name": "a character missing", "expected": "unrecognised", "text": text[:-1]},
    ]


def _valid(name: str, claims: PassClaims, key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    text = sign_pass(claims, key)
    payload = pass_claims.encode(claims)
    content = cbor2.loads(payload)
    vector = _vector(name, "valid", base45.decode(text.removeprefix(PREFIX)))
    named = {4: "exp", 5: "nbf", 6: "iat", 7: "cti"}
    plain = {named[label]: content[label] for label in sorted(named) if label in content}
    plain["pass"] = {str(label): value for label, value in content[pass_claims.PASS].items()}
    return vector | {
        "payload": payload.hex(),
        "claims": json.loads(json.dumps(plain, default=_hex)),
    }


def _vector(name: str, expected: str, message: bytes) -> dict[str, Any]:
    text = PREFIX + base45.encode(message)
    return {"name": name, "expected": expected, "text": text, "message": message.hex()}


def _message(payload: bytes) -> bytes:
    return _signed(payload, KEY)


def _signed(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    return cose.sign(payload, key, key_id=key_id(key.public_key()))[1:]


def _hex(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError


def rendered() -> str:
    """Return the file's text."""
    return json.dumps(document(), indent=2, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="ascii")
