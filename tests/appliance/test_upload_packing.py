"""The body of an upload opens to what was signed, and is small."""

from __future__ import annotations

from random import Random

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.journal_record import pack_passage_record, pack_public, pack_sealed
from admission.sealing import Sealer
from admission.upload import entries_of, unpack_signed_batch
from admission.wire import MAX_BATCH_BYTES
from appliance.upload_packing import packed_upload
from tests.appliance.uplink_ends import DEVICE, DEVICE_KEY, JOURNAL, FakeJournal
from tests.hub.gates import a_passage, chain

LIMIT_BYTES = 80
"""Per entry at the largest batch: what a city pays for."""


def test_what_goes_up_is_what_was_signed_and_says_how_long_it_is() -> None:
    entries = FakeJournal(40).entries[10:]
    body = packed_upload(DEVICE, JOURNAL, 11, entries, 7, key=DEVICE_KEY)
    assert zstandard.get_frame_parameters(body).content_size <= MAX_BATCH_BYTES
    received = unpack_signed_batch(zstandard.ZstdDecompressor().decompress(body))
    assert received.is_signed_by(DEVICE_KEY.public_key())
    assert entries_of(received.batch) == entries
    assert (received.batch.first, received.batch.sent_ns) == (11, 7)


def test_a_question_is_a_batch_without_entries() -> None:
    body = packed_upload(DEVICE, JOURNAL, 11, [], 7, key=DEVICE_KEY)
    batch = unpack_signed_batch(zstandard.ZstdDecompressor().decompress(body)).batch
    assert (batch.first, batch.entries) == (11, ())


def test_a_thousand_sealed_passages_take_few_bytes_each() -> None:
    draw = Random(1)
    sealer = Sealer(X25519PrivateKey.generate().public_key(), draw.randbytes(32), JOURNAL)
    records = []
    for number in range(1_000):
        seen = msgspec.structs.replace(
            a_passage(number),
            lane=f"lane-{draw.randrange(4)}",
            code_digest=draw.randbytes(16),
            person=draw.getrandbits(64),
            token=draw.getrandbits(64),
            wall_ns=1_632_099_600_000_000_000 + (number * 700 + draw.randrange(600)) * 1_000_000,
            monotonic_ns=10**12 + (number * 700 + draw.randrange(600)) * 1_000_000,
            boot_id="6a1d5c0e-7f7b-4b62-9c51-3f0c1f1f0b1a",
        )
        public = pack_public(seen)
        records.append(pack_passage_record(public, sealer.seal(pack_sealed(seen), public)))
    entries = chain(records)
    body = packed_upload(DEVICE, JOURNAL, 1, entries, 7, key=DEVICE_KEY)
    assert sum(len(entry.packed) for entry in entries) > 180 * len(entries)
    assert len(body) / len(entries) <= LIMIT_BYTES
