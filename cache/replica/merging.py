"""Making the base that is to come, in the background, so that nobody has to fetch it.

One merge at a time, in a thread of the lowest priority. It stops where the appliance does, and
after a power cut begins anew. What comes of it counts only if it is, byte for byte, the segment
whose root the head names; else what serves goes on serving, and that segment is fetched when its
time has come.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

import msgspec

from admission.instant import Instant
from cache.errors import MergeStopped, ReplicaError, SegmentError
from cache.replica.activate import read_file, table_of
from cache.replica.background import lower_thread
from cache.replica.contents import Contents
from cache.replica.download import File, store_error
from cache.replica.durable import TEMPORARY, remove
from cache.replica.fetching import Fetching
from cache.replica.files import ReplicaFiles
from cache.replica.generation import Generation, Serving
from cache.replica.head import Following
from cache.replica.source import FileKind, ReplicaSource
from cache.replica.table import Table

MAX_RECIPE_BYTES = 17 << 20
"""As it travels; nobody but the head says how large it is."""
RETRY_S = 600
"""Before a merge that failed is tried again."""
_MERGED = ".merged" + TEMPORARY


class MergeOutcome(StrEnum):
    """How a merge ended."""

    DONE = "done"
    ABANDONED = "abandoned"
    """It was stopped, or failed: it is tried again."""
    MISMATCHED = "mismatched"
    """What came of it is not the segment that the head names."""


class _Mismatch(SegmentError):  # noqa: N818 - names what was found
    """A recipe does not lead to the segment that its head names."""


class Merging:
    """Makes bases ahead of their time. Runs on the loop; the work is off it.

    :param hash_key_id: names the hash key of the rows' keys.
    """

    def __init__(self, files: ReplicaFiles, fetching: Fetching, hash_key_id: bytes) -> None:
        self._files = files
        self._fetching = fetching
        self._hash_key_id = hash_key_id
        self._task: asyncio.Task[None] | None = None
        self._following: Following | None = None
        self._stop = threading.Event()
        self._settled = set[str]()
        """Bases that are here, or that merging does not lead to."""
        self._not_before_ns = dict[str, int]()
        self.outcomes = Counter[MergeOutcome]()
        """Merges since start by outcome."""
        self.last_error = ""
        """Why the last merge did not end well; empty if it did."""

    def follow(
        self, generation: Generation, sources: Sequence[ReplicaSource], now: Instant
    ) -> None:
        """Begin to make a base that this generation's head names as following; return at once.

        One that is being made and is named no more is stopped.

        :param sources: where its recipe may be had.
        """
        named = {
            d.following.name: Serving(d, table)
            for name, d in generation.contents.datasets.items()
            if d.following is not None and (table := generation.segments[name]) is not None
        }
        self._settled &= named.keys()
        self._not_before_ns = {n: ns for n, ns in self._not_before_ns.items() if n in named}
        if self._task is not None and not self._task.done():
            if self._following is not None and self._following.name not in named:
                self._stop.set()
            return
        for name, serving in named.items():
            due = now.monotonic_ns >= self._not_before_ns.get(name, now.monotonic_ns)
            if name not in self._settled and due:
                self._not_before_ns[name] = now.monotonic_ns + RETRY_S * 1_000_000_000
                self._following = serving.dataset.following
                self._stop.clear()
                self._task = asyncio.get_running_loop().create_task(self._make(serving, sources))
                return

    async def settle(self, contents: Contents) -> None:
        """Return once no base of these contents is being made: nothing is fetched beside it."""
        names = {dataset.name for dataset in contents.datasets.values()}
        making = self._following.name if self._following else ""
        if self._task is not None and making in names:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Stop what is being made, and return once that has ended."""
        self._stop.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _make(self, serving: Serving, sources: Sequence[ReplicaSource]) -> None:
        following = serving.dataset.following
        assert following is not None  # noqa: S101 - `follow` picks those that have one
        target = File.of(FileKind.SEGMENT, following)
        try:
            if await asyncio.to_thread(self._files.holds, target):
                self._settled.add(target.name)
                return
            recipe = File.of(FileKind.RECIPE, following.recipe)
            _require_recipe_size(recipe)
            if not await asyncio.to_thread(self._files.holds, recipe):
                await self._fetching.fetch(recipe, sources)
            await self._in_background(serving, following, target, recipe)
        except _Mismatch as error:
            self._settled.add(target.name)
            self._ended(MergeOutcome.MISMATCHED, str(error))
        except ReplicaError as error:
            self._ended(MergeOutcome.ABANDONED, str(error))
        except Exception as error:  # noqa: BLE001 - what serves goes on serving; the status shows it
            self._ended(MergeOutcome.ABANDONED, f"{type(error).__name__} in a merge: {error}")
        else:
            self._settled.add(target.name)
            self._ended(MergeOutcome.DONE, "")

    def _ended(self, outcome: MergeOutcome, error: str) -> None:
        self.outcomes[outcome] += 1
        self.last_error = error

    async def _in_background(
        self, serving: Serving, following: Following, target: File, recipe: File
    ) -> None:
        # A thread of its own: what it gives up for good, the shared ones are to keep.
        executor = ThreadPoolExecutor(1, "merge", lower_thread)
        try:
            loop = asyncio.get_running_loop()
            arguments = (serving, following, target, recipe)
            await loop.run_in_executor(executor, self._merge, *arguments)
        finally:
            executor.shutdown(wait=False)

    def _merge(self, serving: Serving, following: Following, target: File, recipe: File) -> None:
        from cache.replica.merge import merge  # noqa: PLC0415 - loads numpy, where it is needed
        from cache.replica.recipe import unpack_recipe  # noqa: PLC0415

        data = read_file(self._files.directory, recipe)
        if data is None:
            raise SegmentError("the recipe is not the one that its head names")
        self._files.require_room(target.size)
        table = self._table_at(serving, following.through)
        path = target.within(self._files.directory)
        path = path.with_name(path.name + _MERGED)
        try:
            built = merge(
                table, unpack_recipe(data), path, self._hash_key_id, stop=self._stop.is_set
            )
            said = (following.root, following.size, following.rows)
            if (built.root, built.size, built.rows) != said:
                raise _Mismatch("a merge gave another base than the one that the head names")
            if self._stop.is_set():
                raise MergeStopped("the merge was told to stop")
            self._files.keep_segment(path, target)
        except OSError as error:
            raise store_error("merge", error) from error
        finally:
            remove(path)

    def _table_at(self, serving: Serving, through: int) -> Table:
        """Return the dataset as it was after the change of this number.

        :raises SegmentError: if no delta ends there, or one is not here.
        """
        dataset, table = serving.dataset, serving.table
        deltas = tuple(delta for delta in dataset.deltas if delta.through <= through)
        ends = deltas[-1].through if deltas else 0
        if dataset.through == through:
            return table
        if ends != through:
            raise SegmentError("no delta ends where the base to come begins")
        if deltas == dataset.deltas:
            return table.with_changes({})
        then = msgspec.structs.replace(dataset, deltas=deltas, changes=b"", through=through)
        return table_of(self._files.directory, then, Table(table.segment), ())


def _require_recipe_size(recipe: File) -> None:
    if recipe.size > MAX_RECIPE_BYTES:
        raise _Mismatch("the recipe is larger than one may be")
