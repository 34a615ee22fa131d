"""Protects the seal: the hub's key alone opens it, and nothing beside it can be exchanged."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from admission import sealing
from admission.errors import SealError
from admission.sealing import (
    MAX_PERSONAL_BYTES,
    OpenedSession,
    Opener,
    Personal,
    Sealer,
    SealSession,
    key_id,
    pack_personal,
    raw_public,
    unpack_personal,
)

HUB = X25519PrivateKey.from_private_bytes(bytes(range(32)))
EPHEMERAL = bytes(range(100, 132))
JOURNAL = bytes(range(200, 216))
PUBLIC = b"what everybody may read"
PERSONAL = b"who it is about"
u64 = st.integers(0, (1 << 64) - 1)
people = st.builds(Personal, st.none() | u64, st.binary(max_size=32), st.none() | u64)


def a_sealer(*, journal: bytes = JOURNAL) -> Sealer:
    return Sealer(HUB.public_key(), EPHEMERAL, journal)


def opened(session: SealSession, *, journal: bytes = JOURNAL) -> OpenedSession:
    return Opener(HUB).begin(session, journal)


@given(people, st.binary(max_size=200))
def test_what_was_sealed_comes_back_for_the_hub(personal: Personal, public: bytes) -> None:
    sealer = a_sealer()
    seal = sealer.seal(pack_personal(personal), public)
    back = unpack_personal(opened(sealer.session).open(seal, public))
    assert (back.person, back.code_digest, back.officer) == (
        personal.person,
        personal.code_digest,
        personal.officer,
    )


def composed_seal(personal: bytes, public: bytes, counter: int) -> bytes:
    """Return a seal put together here from the RFCs' own parts, HKDF (RFC 5869) by its formula."""
    ephemeral = X25519PrivateKey.from_private_bytes(EPHEMERAL)
    recipient = raw_public(HUB.public_key())
    shared = ephemeral.exchange(HUB.public_key())
    salt = raw_public(ephemeral.public_key()) + hashlib.sha256(recipient).digest()[:8]
    extracted = hmac.digest(salt, shared, "sha256")
    key = hmac.digest(extracted, b"chot journal seal 1\x00" + JOURNAL + b"\x01", "sha256")
    stated = counter.to_bytes(3, "little")
    return stated + ChaCha20Poly1305(key).encrypt(stated + bytes(9), personal, public)


def test_the_form_of_a_seal_is_what_it_was() -> None:
    # Computed once with `composed_seal`. A change would leave every seal that there is unopened.
    golden = [
        "00000051551b9771fc244397e49427a33ba23c76cb8ad1719dce9efea82c14ec209d",
        "010000710c0296092c2df25f407fb67f20a201cc8e6a9c00d128887859a96070136b",
    ]
    sealer = a_sealer()
    assert sealer.session.recipient.hex() == "eedd883da0a94515"
    assert (
        sealer.session.ephemeral.hex()
        == "7d9c24316539825c1896e57f28197746793ce60cbee3ad47da9d07b85fa55e2a"
    )
    for counter, expected in enumerate(golden):
        seal = sealer.seal(PERSONAL, PUBLIC)
        assert seal.hex() == expected
        assert seal == composed_seal(PERSONAL, PUBLIC, counter)
    assert pack_personal(Personal(0x0102030405060708, b"\xaa" * 2, 0x11)).hex() == (
        "0308070605040302011100000000000000aaaa"
    )


@given(st.data())
def test_nothing_of_a_seal_nor_beside_it_can_be_altered(data: st.DataObject) -> None:
    sealer = a_sealer()
    sealer.seal(b"somebody else", b"")
    seal = sealer.seal(PERSONAL, PUBLIC)
    parts = [seal, PUBLIC]
    which = data.draw(st.integers(0, 1))
    place = data.draw(st.integers(0, 8 * len(parts[which]) - 1))
    altered = bytearray(parts[which])
    altered[place // 8] ^= 1 << place % 8
    parts[which] = bytes(altered)
    with pytest.raises(SealError):
        opened(sealer.session).open(parts[0], parts[1])


def test_a_seal_opens_in_its_own_session_and_journal_only() -> None:
    sealer = a_sealer()
    seal = sealer.seal(PERSONAL, PUBLIC)
    other = Sealer(HUB.public_key(), bytes(32), JOURNAL).session
    for session, journal in ((other, JOURNAL), (sealer.session, bytes(16))):
        with pytest.raises(SealError, match="altered, or is of another session"):
            opened(session, journal=journal).open(seal, PUBLIC)
    with pytest.raises(SealError, match="for another key"):
        Opener(X25519PrivateKey.from_private_bytes(bytes(32))).begin(sealer.session, JOURNAL)


def test_another_name_of_the_same_point_opens_nothing() -> None:
    # RFC 7748 has implementations mask the top bit: the same shared secret, another session.
    sealer = a_sealer()
    seal = sealer.seal(PERSONAL, PUBLIC)
    twin = bytearray(sealer.session.ephemeral)
    twin[31] ^= 0x80
    with pytest.raises(SealError):
        opened(SealSession(sealer.session.recipient, bytes(twin))).open(seal, PUBLIC)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_hostile_seals_and_sessions_raise_nothing_but_a_seal_error(
    seal: bytes, ephemeral: bytes
) -> None:
    session = a_sealer().session
    for attempt in (
        lambda: opened(session).open(seal, PUBLIC),
        lambda: opened(SealSession(session.recipient, ephemeral)).open(seal, PUBLIC),
    ):
        with pytest.raises(SealError):
            attempt()


@pytest.mark.parametrize("point", [0, 1, 2**255 - 19, 2**255 - 18])
def test_points_of_small_order_are_refused_on_both_sides(point: int) -> None:
    # Everybody knows what is agreed on with them (RFC 7748, 6.1).
    small = point.to_bytes(32, "little")
    with pytest.raises(SealError):
        Sealer(X25519PublicKey.from_public_bytes(small), EPHEMERAL, JOURNAL)
    with pytest.raises(SealError):
        opened(SealSession(key_id(HUB.public_key()), small))


def test_no_nonce_is_used_twice_and_a_spent_session_seals_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "MAX_SEALS", 3)
    sealer = a_sealer()
    assert len({sealer.seal(b"", b"")[:3] for _ in range(3)}) == 3
    assert sealer.spent
    with pytest.raises(SealError):
        sealer.seal(b"", b"")


def test_nothing_is_sealed_that_would_not_open_again() -> None:
    sealer = a_sealer()
    longest = bytes(MAX_PERSONAL_BYTES)
    assert opened(sealer.session).open(sealer.seal(longest, b""), b"") == longest
    with pytest.raises(SealError):
        sealer.seal(longest + b"\x00", b"")


@given(st.binary(max_size=60))
def test_hostile_contents_raise_nothing_but_a_seal_error(data: bytes) -> None:
    try:
        personal = unpack_personal(data)
    except SealError:
        return
    assert pack_personal(personal) == data


def test_a_log_line_shows_nobody() -> None:
    assert "7" not in repr(Personal(77, b"7", 777))
