"""Building segments: the publisher's half of the format. Needs numpy; gates never import it.

The same rows give the same bytes: nothing of the time, the machine or the input's order goes in.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from admission.identity import PersonKey
from cache.errors import BuildError, LayoutError
from cache.replica.alias import SPARE_BITS
from cache.replica.coding_plan import CodingPlan
from cache.replica.column_types import Keys, Records, Words
from cache.replica.geometry import (
    HASH_KEY_ID_BYTES,
    MAX_ROWS,
    PAGE_BYTES,
    unpack_header,
)
from cache.replica.layout import Layout
from cache.replica.merkle import leaf_hashes, merkle_root
from cache.replica.planning import CHUNK_ROWS, twin_chunks, values_of
from cache.replica.planning import plan as choose_plan
from cache.replica.row_columns import (
    Encoder,
    as_words,
    coded_rows,
    plain_rows,
    wide_rows,
)
from cache.replica.segment_writer import SegmentWriter


class Built(msgspec.Struct, frozen=True):
    """What a written segment is called, how large it is, and by which plan it was written."""

    root: bytes
    size: int
    rows: int
    layout: int
    plan: CodingPlan
    leaves: bytes = b""
    """The hashes of its 64-KiB leaves, 32 bytes each; the root is over them."""


class RowSet:
    """Rows being gathered for one segment, in any order."""

    def __init__(self, layout: Layout[Any]) -> None:
        self.layout = layout
        self._keys = array("Q")
        self._records = bytearray()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: PersonKey, record: bytes) -> None:
        """Take one row.

        :raises LayoutError: if the record does not have the layout's width.
        """
        if len(record) != self.layout.record_bytes:
            msg = f"a record of layout {self.layout.id} has {self.layout.record_bytes} bytes"
            raise LayoutError(msg)
        self._keys.append(key)
        self._records += record

    def sorted(self) -> tuple[Keys, Records]:
        """Return the rows ascending by key, identical rows merged into one.

        Under a coded layout, keys that tell no two people apart count as one.

        :raises BuildError: if two different records share a key: the same identifier with
            contradicting facts, or two identifiers that collide.
        """
        keys = np.frombuffer(self._keys, np.uint64) if self._keys else np.zeros(0, np.uint64)
        records = np.frombuffer(self._records, np.uint8)
        return ascending(self.layout, keys, records.reshape(len(keys), self.layout.record_bytes))


def ascending(layout: Layout[Any], keys: Keys, records: NDArray[Any]) -> tuple[Keys, NDArray[Any]]:
    """Return rows ascending by key, identical rows merged into one; see `RowSet.sorted`.

    :param records: a row each: bytes or words.
    :raises BuildError: if two different records share a key.
    """
    order = np.argsort(keys, kind="stable")
    return merged(layout, keys[order], records[order])


def merged(layout: Layout[Any], keys: Keys, records: NDArray[Any]) -> tuple[Keys, NDArray[Any]]:
    """Return rows that ascend by key already, identical ones merged into one; see `ascending`.

    :raises BuildError: if two different records share a key.
    """
    spare = np.uint64(SPARE_BITS if layout.coded else 0)
    repeated = np.flatnonzero(keys[1:] >> spare == keys[:-1] >> spare)
    if not len(repeated):
        return keys, records
    contradicting = repeated[(records[repeated + 1] != records[repeated]).any(axis=1)]
    if len(contradicting):
        names = ", ".join(f"{keys[i]:016x}" for i in contradicting[:3])
        msg = f"{len(contradicting)} keys have two different records: {names}"
        raise BuildError(
            msg,
            hint="merge the records of each identifier; if these are two identifiers, "
            "publish under a new hash key",
        )
    kept = np.ones(len(keys), bool)
    kept[repeated + 1] = False
    return keys[kept], records[kept]


def write_segment(path: Path, rows: RowSet, hash_key_id: bytes) -> Built:
    """Write the rows to a new file and return its name. The caller makes it durable and renames it.

    :param path: where to write; replaced if it exists, so it must not be a segment in use.
    :param hash_key_id: 8 bytes that name the hash key of the rows' keys.
    :raises BuildError: if the rows contradict each other or are too many.
    :raises OSError: if the file cannot be written.
    """
    if len(hash_key_id) != HASH_KEY_ID_BYTES or len(rows) > MAX_ROWS:
        msg = f"a segment takes {HASH_KEY_ID_BYTES} bytes of hash key id and {MAX_ROWS} rows"
        raise BuildError(msg)
    return write_rows(path, rows.layout, *rows.sorted(), hash_key_id)


def write_rows(
    path: Path,
    layout: Layout[Any],
    keys: Keys,
    records: NDArray[Any],
    hash_key_id: bytes,
    *,
    plan: CodingPlan | None = None,
) -> Built:
    """Write columns of rows to a new file, as `write_segment`.

    :param keys: ascending, each once; of a coded layout, once in the bits that tell people apart.
    :param records: n × record_bytes bytes; of a coded layout also n × 2 words of 64 bits.
    :param plan: how to write them; the one that makes the smallest file if None. Values that its
        tables do not have make wide rows.
    :raises BuildError: if the keys do not ascend, or the plan has no room for these rows.
    :raises OSError: if the file cannot be written.
    """
    if layout.coded:
        records = as_words(records)
    if len(records) != len(keys):
        raise BuildError("there are not as many records as keys")
    if plan is None:
        plan = choose_plan(layout, keys, records)
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        writer = SegmentWriter(file, layout, plan, hash_key_id)
        if layout.coded:
            _append_coded(writer, layout, plan, keys, records)
        else:
            _append_plain(writer, plan, keys, records)
        writer.finish()
    return built(path, plan)


def built(path: Path, plan: CodingPlan) -> Built:
    """Return the name of a segment that was just written.

    :raises OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        header = unpack_header(file.read(PAGE_BYTES))
        file.seek(0)
        leaves = leaf_hashes(file)
    root = merkle_root(leaves)
    return Built(root, header.size, header.rows, header.layout, plan, b"".join(leaves))


def _append_plain(writer: SegmentWriter, plan: CodingPlan, keys: Keys, records: Records) -> None:
    unmatched = np.uint64(max(0, 64 - plan.bucket_bits - plan.hash_bits))
    for start in range(0, len(keys), CHUNK_ROWS):
        some = keys[start : start + CHUNK_ROWS]
        matched = keys[start : start + CHUNK_ROWS + 1] >> unmatched
        if np.any(matched[1:] <= matched[:-1]):
            raise BuildError("the rows do not ascend, or the plan does not tell them apart")
        writer.append(some, plain_rows(plan, some, records[start : start + CHUNK_ROWS]))


def _append_coded(
    writer: SegmentWriter, layout: Layout[Any], plan: CodingPlan, keys: Keys, words: Words
) -> None:
    encoder, codes_in_tables, identity = Encoder(layout, plan), plan.codes, layout.groups[-1]
    for start, end, twin in twin_chunks(keys, plan.bucket_bits + plan.hash_bits):
        some, said = keys[start:end], words[start:end]
        codes, absent = encoder.codes(said)
        wide = np.flatnonzero(absent | twin)
        if len(wide):
            first = codes_in_tables + writer.wide_rows
            if first + len(wide) > 256**plan.code_bytes:
                raise BuildError("the coding plan has no room for these rows")
            codes[wide] = np.arange(len(wide), dtype=np.uint64) + np.uint64(first)
            writer.append_wide(wide_rows(some[wide], said[wide]))
        writer.append(some, coded_rows(plan, some, codes, values_of(identity, said)))
