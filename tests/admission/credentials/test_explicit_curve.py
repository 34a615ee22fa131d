"""Protects authorities that write their curve out, and gates from curves that only look right."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from admission.credentials import explicit_curve
from admission.credentials.explicit_curve import public_key
from admission.errors import MalformedError

CURVES = [
    (explicit_curve._P256R1, ec.BrainpoolP256R1),
    (explicit_curve._P384R1, ec.BrainpoolP384R1),
    (explicit_curve._P512R1, ec.BrainpoolP512R1),
]


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    if 128 <= size < 256:
        length = bytes([0x81, size])
    return bytes([tag]) + length + content


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def values_of(constants: str) -> list[int]:
    size = len(constants) // 5
    return [int(constants[i * size : (i + 1) * size], 16) for i in range(5)]


def spki(values: list[int], point: bytes, *, length: int, compressed: bool = False) -> bytes:
    p, a, b, x, q = values
    generator = b"\x02" + x.to_bytes(length, "big")
    if not compressed:
        generator = b"\x04" + x.to_bytes(length, "big") + bytes(length)
    parameters = tlv(
        0x30,
        integer(1),
        tlv(0x30, bytes.fromhex("06072a8648ce3d0101"), integer(p)),
        tlv(0x30, tlv(4, a.to_bytes(length, "big")), tlv(4, b.to_bytes(length, "big"))),
        tlv(4, generator),
        integer(q),
        integer(1),
    )
    algorithm = tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), parameters)
    return tlv(0x30, algorithm, tlv(3, b"\x00", point))


def point_of(secret: int, curve: type[ec.EllipticCurve]) -> tuple[int, int, bytes]:
    key = ec.derive_private_key(secret, curve()).public_key()
    encoded = key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    numbers = key.public_numbers()
    return numbers.x, numbers.y, encoded


@pytest.mark.parametrize(("constants", "curve"), CURVES)
def test_the_constants_are_those_of_the_library_that_knows_the_curve_by_name(
    constants: str, curve: type[ec.EllipticCurve]
) -> None:
    p, a, b, x, q = values_of(constants)
    assert point_of(1, curve)[0] == point_of(q - 1, curve)[0] == x
    for secret in (1, 2, 3):
        px, py, _ = point_of(secret, curve)
        assert (py * py - px**3 - a * px - b) % p == 0


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("constants", "curve"), CURVES)
def test_a_key_on_a_curve_that_is_written_out(
    constants: str, curve: type[ec.EllipticCurve], compressed: bool
) -> None:
    x, y, point = point_of(77, curve)
    key = public_key(
        spki(values_of(constants), point, length=len(constants) // 10, compressed=compressed)
    )
    assert (key.public_numbers().x, key.public_numbers().y) == (x, y)


@pytest.mark.parametrize("which", range(5))
def test_a_curve_that_differs_in_one_parameter_is_none(which: int) -> None:
    values = values_of(explicit_curve._P256R1)
    values[which] ^= 1
    with pytest.raises(MalformedError):
        public_key(spki(values, point_of(77, ec.BrainpoolP256R1)[2], length=32))


def test_a_point_off_the_curve_is_no_key() -> None:
    with pytest.raises(MalformedError):
        public_key(
            spki(values_of(explicit_curve._P256R1), b"\x04" + bytes(63) + b"\x01", length=32)
        )


@given(st.integers(0, 300), st.integers(0, 255))
def test_damaged_bytes_are_a_key_or_refused(at: int, byte: int) -> None:
    data = bytearray(spki(values_of(explicit_curve._P256R1), bytes(65), length=32))
    data[at % len(data)] = byte
    with pytest.raises(MalformedError):
        public_key(bytes(data))
