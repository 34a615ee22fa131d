"""Recipes: how the next base's rows are coded, so that a gate makes it, byte for byte, by itself.

A base merged with its deltas has the same rows wherever it is made, but not the same bytes: which
values stand in tables and how wide codes are is the publisher's choice, and a coded row that
becomes a wide one needs all 64 bits of a key of which the base's rows keep some fifty. The recipe
holds both. `docs/replica-snapshots.md` describes every byte.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from cache.errors import BuildError, SegmentError
from cache.replica.coding_plan import CodingPlan, unpack_plan
from cache.replica.layout import layout_of

VERSION = 1
MAX_RECIPE_BYTES = 16 << 20
"""Of a recipe, unpacked."""
_MAX_WINDOW_BYTES = 8 << 20
_LEVEL = 9


class _Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    layout: int
    plan: bytes
    ranks: bytes
    key_ends: bytes


_decode = msgspec.msgpack.Decoder(_Packed).decode


class Recipe(msgspec.Struct, frozen=True, eq=False):
    """How the next base's rows are coded: a coding plan, and what rows of this base lack for it.

    `ranks`, ascending, are rows of this base that become wide, and `key_ends` the lowest bits of
    their keys, those that this base's rows do not keep.
    """

    layout: int
    plan: CodingPlan
    ranks: NDArray[np.int64]
    key_ends: NDArray[np.uint64]


def pack_recipe(recipe: Recipe) -> bytes:
    """Return the recipe's bytes.

    :raises SegmentError: if they are more than a gate takes.
    """
    gaps = np.diff(recipe.ranks, prepend=-1) - 1
    packed = msgspec.msgpack.encode(
        _Packed(
            VERSION,
            recipe.layout,
            recipe.plan.pack(),
            _planes(gaps, 4),
            _planes(recipe.key_ends, 8),
        )
    )
    if len(packed) > MAX_RECIPE_BYTES:
        msg = f"a recipe has at most {MAX_RECIPE_BYTES} bytes, not {len(packed)}"
        raise SegmentError(msg, hint="publish this base without merging")
    return zstandard.ZstdCompressor(level=_LEVEL).compress(packed)


def unpack_recipe(data: bytes) -> Recipe:
    """Return the recipe in these bytes. Whether it fits a base is for `merge` to judge.

    :raises SegmentError: if they are no recipe of this version, or one that cannot be.
    :raises LayoutError: if its record layout is unknown here.
    """
    try:
        # Read as what it has to be, so that no bytes become millions of objects.
        packed = _decode(_expanded(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, zstandard.ZstdError) as error:
        msg = f"not a recipe: {error}"
        raise SegmentError(msg) from error
    if packed.version != VERSION:
        msg = f"recipe version {packed.version} is unknown here"
        raise SegmentError(msg, hint="update this appliance")
    return _judged(packed)


def _expanded(data: bytes) -> bytes:
    frame = zstandard.get_frame_parameters(data)
    if frame.content_size > MAX_RECIPE_BYTES or frame.window_size > _MAX_WINDOW_BYTES:
        raise SegmentError("the recipe is larger than one may be")
    expander = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    return expander.decompress(data, max_output_size=frame.content_size, allow_extra_data=False)


def _judged(packed: _Packed) -> Recipe:
    layout = layout_of(packed.layout)
    try:
        plan = unpack_plan(packed.plan, layout)
    except BuildError as error:
        msg = f"the recipe's plan cannot be: {error}"
        raise SegmentError(msg) from error
    ranks = np.cumsum(_integers(packed.ranks, 4).astype(np.int64) + 1) - 1
    key_ends = _integers(packed.key_ends, 8)
    if len(ranks) != len(key_ends) or (len(ranks) and not layout.coded):
        raise SegmentError("the recipe's ranks and key ends do not belong together")
    return Recipe(packed.layout, plan, ranks, key_ends)


def _planes(values: NDArray[Any], size: int) -> bytes:
    """Return the integers' bytes, `size` each: first the lowest byte of all, and so on."""
    rows = values.astype(f"<u{size}").view(np.uint8).reshape(-1, size)
    return rows.T.tobytes()


def _integers(planes: bytes, size: int) -> NDArray[np.uint64]:
    if len(planes) % size:
        raise SegmentError("the recipe ends amid a number")
    rows = np.frombuffer(planes, np.uint8).reshape(size, -1)
    return np.ascontiguousarray(rows.T).view(f"<u{size}").ravel().astype(np.uint64)
