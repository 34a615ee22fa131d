"""Protects whom this gate seals for: the key of the release in force, through bad documents too."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.seal_recipient import write_recipient
from admission.sealing import raw_public
from appliance.documents import Documents
from appliance.sealing_key import SealingKey

ONE, TWO = (X25519PrivateKey.from_private_bytes(bytes([n]) * 32).public_key() for n in (1, 2))


def told(key: SealingKey) -> bytes | None:
    return None if key.recipient is None else raw_public(key.recipient)


def test_it_follows_the_documents_in_force() -> None:
    documents = Documents()
    key = SealingKey(documents)
    assert told(key) is None
    assert not key.finding().ok
    for public in (ONE, TWO):
        documents.replace({"seal/journal": write_recipient(public), "orders": b"{}"})
        assert told(key) == raw_public(public)
        assert key.finding().ok
    documents.replace({"orders": b"{}"})
    assert told(key) is None


def test_a_document_that_cannot_be_used_leaves_the_one_before_in_force() -> None:
    documents = Documents()
    key = SealingKey(documents)
    documents.replace({"seal/journal": write_recipient(ONE)})
    for unusable in (b"", b"nonsense"):
        documents.replace({"seal/journal": unusable})
        assert told(key) == raw_public(ONE)
        assert not key.finding().ok
    documents.replace({"seal/journal": write_recipient(TWO)})
    assert (told(key), key.finding().ok) == (raw_public(TWO), True)


def test_the_law_hears_of_documents_as_well() -> None:
    documents, heard = Documents(), list[int]()
    documents.listen(lambda found: heard.append(len(found)))
    key = SealingKey(documents)
    documents.replace({"seal/journal": write_recipient(ONE)})
    assert heard == [0, 1]
    assert told(key) == raw_public(ONE)
