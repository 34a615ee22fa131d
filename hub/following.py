"""The base that follows: made of the present one and its deltas, as every gate can make it."""

from __future__ import annotations

import msgspec

from cache.errors import ReplicaError
from cache.replica.head import Blob, Dataset, Following
from cache.replica.merge import merge
from cache.replica.recipe import pack_recipe
from cache.replica.recipe_write import following_keys, make_recipe
from cache.replica.source import FileKind
from hub.files import ReplicaFiles
from hub.published_table import PublishedTable
from hub.steps import Step


class Made(msgspec.Struct, frozen=True):
    """A base that is made, and what it was made of."""

    base: bytes
    following: Following
    snapshot: Blob | None


class FollowingBases:
    """Makes the bases that follow."""

    def __init__(self, files: ReplicaFiles, hash_key_id: bytes) -> None:
        self._files = files
        self._hash_key_id = hash_key_id

    def made(self, name: str, dataset: Dataset) -> Made | None:
        """Return the base that follows on the deltas of a dataset; None if gates cannot make it.

        :param dataset: without inline changes.
        :raises OSError: if a file cannot be written.
        """
        part = self._files.part(f"{name}+following")
        try:
            published = PublishedTable(self._files, dataset)
            recipe = make_recipe(published.table, published.keys)
            blob = self._files.write(FileKind.RECIPE, pack_recipe(recipe))
            built = merge(published.table, recipe, part, self._hash_key_id)
            base = self._files.take(part, built, following_keys(published.table, published.keys))
        except ReplicaError:
            return None
        finally:
            part.unlink(missing_ok=True)
        following = Following(base.root, base.size, base.rows, dataset.through, blob)
        return Made(dataset.root, following, base.snapshot)

    def named(self, made: Made, step: Step | None, now_ns: int) -> Step | None:
        """Return the step after which the head names a base that was made.

        :param step: how the dataset stands now; None if it is not there any more.
        """
        if step is None or step.dataset.root != made.base or step.dataset.following is not None:
            return None
        through = made.following.through
        if through not in {delta.through for delta in step.dataset.deltas}:
            return None  # its deltas have become one meanwhile: gates could not stop at that number
        dataset = msgspec.structs.replace(step.dataset, following=made.following)
        note = msgspec.structs.replace(step.note, following_ns=now_ns, snapshot=made.snapshot)
        return Step(dataset, note)
