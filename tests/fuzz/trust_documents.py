"""Lists of whom to trust, certificates and the replica's metadata, and their readers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from tuf.api.metadata import Snapshot, Targets

from admission.credential import PassKind
from admission.credentials import (
    base64url,
    chot_pass,
    dcc,
    dcc_certificate,
    dcc_revocations,
    explicit_curve,
    health_card_issuers,
    pass_issuers,
    rotating_code,
    smart_health_card,
    vds_nc,
)
from admission.credentials.dcc_signers import read_signers, signer_of, write_signers
from admission.credentials.rotating_scheme import SchemeTable, read_schemes, schemes_document
from admission.credentials.vds_nc_authorities import (
    AuthorityEntry,
    read_authorities,
    write_authorities,
)
from admission.errors import MalformedError, TrustError
from admission.identity import Identifier
from cache.errors import TrustError as MetadataError
from cache.replica.trust import judge, metadata
from tests.admission.credentials import dcc_codes, health_cards, passes, seals, test_explicit_curve
from tests.cache.replica.trust.authority import an_authority, at
from tests.fuzz.codes import SECRET, WALLETS, dsc, revocations
from tests.fuzz.reader import Reader
from tests.worlds import ManualClock

NOW = ManualClock().now()


def readers() -> Iterator[tuple[str, Reader]]:
    """Yield the readers and their names."""
    yield from _trust()
    yield from _metadata()
    yield from _certificates()


def _metadata() -> Iterator[tuple[str, Reader]]:
    """The replica's: of each role, taken for what comes next by a gate that has just begun."""
    authority, root = an_authority()
    begun = judge.pinned(root)
    by = begun.root.signed
    files: dict[str, Callable[[bytes], object]] = {
        "2.root.json": lambda data: judge.with_root(begun, data),
        "timestamp.json": lambda data: judge.with_timestamp(begun, data, at()),
        # By their hashes, these two would never be looked into.
        "1.snapshot.json": lambda data: metadata.require_signed(metadata.read(Snapshot, data), by),
        "1.targets.json": lambda data: metadata.require_signed(metadata.read(Targets, data), by),
    }
    authority.publish_root()
    for name, reading in files.items():
        yield name, Reader(reading, MetadataError, "json", (authority.files[name],))


def _trust() -> Iterator[tuple[str, Reader]]:
    signer = signer_of(dsc())
    card = health_cards.card_of_example()
    code = dcc_codes.code(dcc_codes.claims(dcc_codes.vaccination()), dsc())
    permit = chot_pass.sign_pass(passes.a_permit(), passes.KEY)
    wallet = rotating_code.render(WALLETS[0], "338800.a", NOW.wall_ns // 1_000_000)
    issuer = pass_issuers.PassIssuer(passes.KEY.public_key(), "Sở Y tế", frozenset(PassKind))
    names = tuple(Identifier(kind, "a" * 32) for kind in dcc_revocations.KIND_OF.values())

    def readable(
        read: Callable[[bytes], Any], *seeds: bytes, form: str = "msgpack", error: Any = TrustError
    ) -> Reader:
        return Reader(read, error, form, seeds)

    yield (
        "signers",
        readable(lambda data: dcc.parse(code, read_signers(data)), write_signers([signer])),
    )
    yield (
        "revocations",
        readable(
            lambda data: dcc_revocations.read_revocations(data).holds(
                signer.key_id, names, NOW.wall_ns
            ),
            dcc_revocations.write_revocations([revocations()]),
        ),
    )
    yield (
        "health-card issuers",
        readable(
            lambda data: smart_health_card.parse(card, health_card_issuers.read_issuers(data)),
            health_card_issuers.write_issuers([health_cards.issuer_key()]),
        ),
    )
    yield (
        "JWK set",
        readable(
            lambda data: health_card_issuers.issuers_from_jwks(health_cards.ISS, data),
            _jwks(),
            form="json",
        ),
    )
    yield (
        "pass issuers",
        readable(
            lambda data: chot_pass.parse(permit, pass_issuers.read_issuers(data)),
            pass_issuers.pack_issuers([issuer]),
        ),
    )
    yield (
        "authorities",
        readable(
            lambda data: vds_nc.parse(seals.example(), read_authorities(data)),
            write_authorities([AuthorityEntry(("UTO",), each) for each in _authorities()]),
        ),
    )
    yield (
        "schemes",
        readable(
            lambda data: rotating_code.parse(wallet, read_schemes(data), NOW),
            schemes_document((SchemeTable("wallet", SECRET),)),
            form="json",
        ),
    )


def _certificates() -> Iterator[tuple[str, Reader]]:
    states = seals.authorities(*_authorities())
    pss = seals.signer(seals.rsa_key(), seals.ec_key(3), rsa_padding=seals.pss())
    rsa = seals.signer(seals.rsa_key(), seals.ec_key(3))
    signers = (seals.ministry(), pss, rsa)
    _, _, point = test_explicit_curve.point_of(77, ec.BrainpoolP256R1)
    curve = test_explicit_curve.values_of(explicit_curve._P256R1)
    written_out = [
        test_explicit_curve.spki(curve, point, length=32, compressed=compressed)
        for compressed in (True, False)
    ]
    for name, read, error, seeds in (
        ("signer", signer_of, TrustError, (dsc(),)),
        ("DER", dcc_certificate.read, MalformedError, (dsc(), seals.csca(), *signers)),
        ("chain", states.signer, MalformedError, signers),
        ("curve", explicit_curve.public_key, MalformedError, tuple(written_out)),
    ):
        yield name, Reader(read, error, "bytes", seeds)


@cache
def _authorities() -> tuple[bytes, ...]:
    by_rsa = seals.authority(seals.rsa_key(), called="Utopia CSCA")
    return seals.csca(), by_rsa, seals.authority(seals.ec_key(5, seals.P521), called="Erewhon")


def _jwks() -> bytes:
    key = health_cards.issuer_key()
    x, y = base64url.encode(key.x), base64url.encode(key.y)
    jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key.kid}
    return json.dumps({"keys": [jwk | {"x": x, "y": y}]}).encode()
