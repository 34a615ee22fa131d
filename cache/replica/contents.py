"""What one gate takes of a release: the datasets and documents that it subscribes to."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from cache.errors import HeadError, LayoutError
from cache.replica.head import Dataset, Document, SignedHead
from cache.replica.layout import layout_of
from cache.replica.names import (
    NEEDED,
    PERSONS,
    RECORDS,
    ROSTER,
    kind_of,
    roster_name,
)

DEFAULT_LIMIT_BYTES = 4 << 30
MAX_DELTAS_BYTES = 64 << 20
"""The delta files of one dataset together."""
DOCUMENTS_LIMIT_BYTES = 64 << 20
"""All documents of one gate together: they are held in memory."""

Subscription = Callable[[str], bool]
"""Whether this gate takes the dataset or document of this name."""


class Contents(msgspec.Struct, frozen=True):
    """The part of a head that this gate takes, by name. Equal contents answer alike."""

    datasets: dict[str, Dataset]
    documents: dict[str, Document]

    @property
    def files(self) -> frozenset[str]:
        """The names of all files that answer: without these there is no release."""
        names = {d.name for d in self.datasets.values()}
        names |= {d.name for d in self.documents.values()}
        return self.deltas | names

    @property
    def deltas(self) -> frozenset[str]:
        """The names of all delta files."""
        return frozenset(
            delta.file.name for dataset in self.datasets.values() for delta in dataset.deltas
        )


def subscription(site_id: str, left_out: Collection[str] = ()) -> Subscription:
    """Return the predicate of one site: everything but what belongs to other sites' rosters.

    :param left_out: kinds of datasets that this site does not need; what a gate decides nothing
        without (`NEEDED`) it takes all the same.

    >>> takes = subscription("gate-7", ["permits", "persons"])
    >>> takes("persons"), takes("permits"), takes("roster/gate-7"), takes("roster/gate-8")
    (True, False, True, False)
    """
    own, not_taken = roster_name(site_id), frozenset(left_out) - NEEDED

    def takes(name: str) -> bool:
        kind = kind_of(name)
        return kind not in not_taken and (kind != ROSTER or name == own)

    return takes


def contents_of(
    signed: SignedHead, hash_key_id: bytes, takes: Subscription, limit_bytes: int
) -> Contents:
    """Return what this gate takes of a head, judged before a byte of it is fetched.

    A dataset of a kind that this version does not know is left alone.

    :param limit_bytes: for all datasets together.
    :raises HeadError: if there are no `persons`, it is larger than the limits, or its keys are
        hashed under another hash key than the gate's.
    :raises LayoutError: if a record layout is unknown here, or is not one of its dataset.
    """
    head = signed.head
    if PERSONS not in head.datasets:
        raise HeadError("the head names no persons")
    if head.hash_key_id != hash_key_id:
        raise HeadError(
            "the release is hashed under another hash key",
            hint="copy the hub's current hash key to this appliance",
        )
    datasets = {n: d for n, d in head.datasets.items() if kind_of(n) in RECORDS and takes(n)}
    documents = {n: d for n, d in head.documents.items() if takes(n)}
    _require_room("release", sum(map(_size, datasets.values())), limit_bytes)
    _require_room("documents", sum(d.size for d in documents.values()), DOCUMENTS_LIMIT_BYTES)
    for name, dataset in datasets.items():
        deltas_size = sum(delta.file.size for delta in dataset.deltas)
        _require_room("deltas of a dataset", deltas_size, MAX_DELTAS_BYTES)
        if layout_of(dataset.layout).record is not RECORDS[kind_of(name)]:
            msg = f"{kind_of(name)} cannot have record layout {dataset.layout}"
            raise LayoutError(msg, hint="update this appliance, or correct the publisher")
    return Contents(datasets, documents)


def _size(dataset: Dataset) -> int:
    """Return what a dataset may take of the disk: its base, that as it travels, and the next."""
    following = dataset.following
    size = dataset.size + sum(delta.file.size for delta in dataset.deltas)
    size += dataset.snapshot.size if dataset.snapshot else 0
    return size + (following.size + following.recipe.size if following else 0)


def _require_room(what: str, size: int, limit_bytes: int) -> None:
    if size > limit_bytes:
        msg = f"the {what} take {size} bytes, over this site's limit of {limit_bytes}"
        raise HeadError(msg, hint="raise the replica's size limit, or subscribe to less")
