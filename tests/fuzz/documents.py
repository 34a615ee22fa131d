"""Documents, rulebooks and messages that are nearly genuine, and the readers that they go to.

What is read is used too: a trust list that reads must not stop the code that it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgpack
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from tuf.api.metadata import Snapshot, Targets

from admission import certlogic, rulebook_format, wire
from admission.acceptance import load_acceptance
from admission.acceptance_format import load_value_sets
from admission.credential import UNRECOGNISED, PassKind
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
from admission.decide import decide
from admission.errors import (
    ChotError,
    MalformedError,
    OrdersError,
    RulebookError,
    RuleError,
    TrustError,
    WireError,
)
from admission.identity import Identifier
from admission.orders import read_orders
from admission.passage import passage
from admission.rulebook_loading import load_rulebook
from admission.site import Place
from admission.standing import Lookup, Standing
from admission.verdict import Verdict
from admission.wire import Acknowledgement, Batch, Entry
from cache.errors import TrustError as MetadataError
from cache.replica.trust import judge, metadata
from tests.admission.credentials import (
    dcc_codes,
    health_cards,
    passes,
    seals,
    test_explicit_curve,
)
from tests.admission.situations import CODE, found, site
from tests.admission.test_acceptance import a_rule
from tests.cache.replica.trust.authority import an_authority, at
from tests.fuzz.codes import SECRET, WALLETS, dsc, revocations
from tests.fuzz.mutations import Mutator
from tests.worlds import ROOT, ManualClock, a_reading, a_site

NOW = ManualClock().now()
MAX_BYTES = 1 << 20
ORDERS = {
    "format": "chot-orders/1",
    "orders": [
        {"district": 0, "directive": 15, "from": "2021-09-16T00:00:00+07:00"},
        {"district": 760, "directive": 16, "from": "2021-09-16T00:00:00+07:00"},
    ],
}
LOGIC: tuple[Any, ...] = (
    {"if": [{"in": [{"var": "payload.dn"}, [1, 2]]}, {"!": [False]}, {"and": [1, 2]}]},
    {"reduce": [[1, 2], {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]},
    {
        "after": [
            {"plusTime": [{"var": "payload.dt"}, 14, "day"]},
            {"plusTime": ["2021-09-20T00:00:00Z", -1, "month"]},
        ]
    },
)
VALUE_SETS = ({"dn": ["1", "2"]}, [{"valueSetId": "a", "valueSetValues": {"x": {}}}])


class Reader(msgspec.Struct, frozen=True):
    """One reader: what it reads, the error it may raise, its seeds and how they are written."""

    read: Callable[[bytes], Any]
    error: type[ChotError]
    form: str
    seeds: tuple[bytes, ...]


def spoilt(m: Mutator, reader: Reader) -> bytes:
    """Return a seed of the reader, spoilt in its bytes or in its values, up to a megabyte."""
    return _spoilt(m, reader)[:MAX_BYTES]


def _spoilt(m: Mutator, reader: Reader) -> bytes:
    seed = m.random.choice(reader.seeds)
    if reader.form == "bytes" or m.one_in(3):
        return m.data(seed)
    if reader.form == "json":
        text = json.dumps(m.tree(json.loads(seed)), default=str, ensure_ascii=m.one_in(2))
        if m.one_in(20):
            text = text.replace("1", "9" * 5_000, 1)
        return text.encode("utf-8", "surrogatepass")
    try:
        changed = m.tree(msgpack.unpackb(seed, strict_map_key=False))
        return bytes(msgpack.packb(changed, unicode_errors="surrogatepass"))
    except (ValueError, OverflowError):  # deeper than msgpack writes
        return m.data(seed)


@cache
def readers() -> dict[str, Reader]:
    """Return every reader by name."""
    trust = {**dict(_trust()), **dict(_metadata())}
    return {**trust, **dict(_certificates()), **dict(_law()), **dict(_messages())}


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


def _law() -> Iterator[tuple[str, Reader]]:
    def readable(read: Callable[[bytes], Any], *seeds: Any, error: Any = RulebookError) -> Reader:
        return Reader(read, error, "json", tuple(json.dumps(seed).encode() for seed in seeds))

    rulebook = json.loads((ROOT / "configs" / "rulebooks" / "hcmc-2021-09.json").read_bytes())
    rules = [a_rule(Identifier=f"VR-VN-000{n}", Logic=each) for n, each in enumerate(LOGIC)]
    yield "rulebook", readable(_decided, rulebook)
    yield "rulebook's form", readable(rulebook_format.read, rulebook)
    yield "acceptance rules", readable(load_acceptance, rules)
    yield "value sets", readable(load_value_sets, *VALUE_SETS)
    yield "CertLogic", readable(_evaluated, *LOGIC, error=RuleError)
    yield (
        "orders",
        readable(lambda data: read_orders(data).directive(760, NOW, 15), ORDERS, error=OrdersError),
    )


def _messages() -> Iterator[tuple[str, Reader]]:
    entry = passage(
        a_reading("1"),
        UNRECOGNISED,
        Standing(Lookup.NOT_FOUND),
        Verdict(),
        NOW,
        site=a_site(),
        lane="1",
        rulebook="r",
        digest_key=bytes(16),
    )
    packed = wire.pack_passage(entry)
    batch = wire.pack_batch(Batch(1, "a", bytes(16), (Entry(1, bytes(32), packed),)))
    acknowledgement = wire.pack_acknowledgement(Acknowledgement(1, bytes(16), 7))
    yield "passage", Reader(wire.unpack_passage, WireError, "msgpack", (packed,))
    yield "batch", Reader(wire.unpack_batch, WireError, "msgpack", (batch,))
    yield (
        "acknowledgement",
        Reader(wire.unpack_acknowledgement, WireError, "msgpack", (acknowledgement,)),
    )


def _decided(data: bytes) -> Any:
    rulebook = load_rulebook(data)
    return [decide(CODE, found(), rulebook, site(place, 16), NOW) for place in Place]


def _evaluated(data: bytes) -> Any:
    try:
        expression = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return certlogic.compile_rule(expression)({"payload": {"dn": 2, "dt": "2021-08-01"}})


def _jwks() -> bytes:
    key = health_cards.issuer_key()
    x, y = base64url.encode(key.x), base64url.encode(key.y)
    jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key.kid}
    return json.dumps({"keys": [jwk | {"x": x, "y": y}]}).encode()
