"""EC keys with explicit domain parameters, as passport authorities write them (ICAO Doc 9303-12).

The law's library knows curves by name, and by explicit parameters for the NIST curves only. The
Brainpool curves (RFC 5639 3.4, 3.6, 3.7) are found here by all of their parameters: a curve that
agrees in some of them only is somebody's forgery, and is no curve.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from admission.credentials.der import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    elements,
    exactly,
    object_identifier,
    only,
)
from admission.errors import MalformedError

EC_PUBLIC_KEY, PRIME_FIELD = "1.2.840.10045.2.1", "1.2.840.10045.1.1"

# p, A, B, x(G), q of RFC 5639, in hexadecimal.
_P256R1 = (
    "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377"
    "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9"
    "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6"
    "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262"
    "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7"
)
_P384R1 = (
    "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a7187470013"
    "3107ec53"
    "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd"
    "22ce2826"
    "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696"
    "fa504c11"
    "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e2"
    "47d4af1e"
    "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202"
    "e9046565"
)
_P512R1 = (
    "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12a"
    "e6a380e62881ff2f2d82c68528aa6056583a48f3"
    "7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c9"
    "8b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca"
    "3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca"
    "dc083e67984050b75ebae5dd2809bd638016f723"
    "81aee4bdd82ed9645a21322e9c4c6a9385ed9f70b5d916c1b43b62eef4d0098eff3b1f78e2d0d48d50d1687b"
    "93b97d5f7c6d5047406a5e688b352209bcb9f822"
    "aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca9261941866119"
    "7fac10471db1d381085ddaddb58796829ca90069"
)
_CURVES: tuple[tuple[str, Callable[[], ec.EllipticCurve]], ...] = (
    (_P256R1, ec.BrainpoolP256R1),
    (_P384R1, ec.BrainpoolP384R1),
    (_P512R1, ec.BrainpoolP512R1),
)


def public_key(spki: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a SubjectPublicKeyInfo whose Brainpool curve is written out.

    The parameters are those of RFC 3279 2.3.5 (ECParameters); seed and cofactor are not looked at,
    and the generator may be compressed.

    :raises MalformedError: if it is no such key, on no such curve, or a point off it.
    """
    algorithm, bits = exactly(only(spki, SEQUENCE), SEQUENCE, BIT_STRING)
    kind, parameters = exactly(algorithm, OBJECT_IDENTIFIER, SEQUENCE)
    if object_identifier(kind.content) != EC_PUBLIC_KEY or bits.content[:1] != b"\x00":
        raise MalformedError("not an EC key")
    stated = _stated(parameters)
    for known, curve in _CURVES:
        if stated == known:
            try:
                return ec.EllipticCurvePublicKey.from_encoded_point(curve(), bits.content[1:])
            except ValueError as error:
                raise MalformedError("the key is no point of its curve") from error
    raise MalformedError("the key's curve is written out and is none that is known here")


def _stated(parameters: Element) -> str:
    """Return p, A, B, x(G), q in hexadecimal, each as long as p."""
    parts = elements(parameters.content)
    if [part.tag for part in parts[:5]] != [INTEGER, SEQUENCE, SEQUENCE, OCTET_STRING, INTEGER]:
        raise MalformedError("not the parameters of a curve")
    _, field, curve, generator, order = parts[:5]
    kind, prime = exactly(field, OBJECT_IDENTIFIER, INTEGER)
    if object_identifier(kind.content) != PRIME_FIELD:
        raise MalformedError("not a curve over a prime field")
    coefficients = elements(curve.content)
    if [part.tag for part in coefficients[:2]] != [OCTET_STRING, OCTET_STRING]:
        raise MalformedError("not the coefficients of a curve")
    a, b = coefficients[:2]
    length = len(prime.content.lstrip(b"\x00"))
    values = (prime.content, a.content, b.content, generator.content[1 : 1 + length], order.content)
    return "".join(value.lstrip(b"\x00").rjust(length, b"\x00").hex() for value in values)
