"""Bringing a release's files here: what is missing, from whichever upstream has it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

from cache.errors import FileAbsent, LayoutError, SegmentError, SourceError
from cache.replica.contents import Contents
from cache.replica.download import File, Part, store_error
from cache.replica.durable import TEMPORARY, remove
from cache.replica.files import ReplicaFiles
from cache.replica.generation import Generation
from cache.replica.head import Blob, Dataset
from cache.replica.heal import leaf_range, require_leaf
from cache.replica.source import FileKind, ReplicaSource

MOST_MENDED = 64
"""A base of which more leaves are damaged is fetched as a whole."""
_EXPANDED = ".expanded" + TEMPORARY


class Fetching:
    """Fetches files into the replica's directory. Runs on the loop; disk work is off it.

    :param files: where to.
    """

    def __init__(self, files: ReplicaFiles) -> None:
        self._files = files
        self._useless_snapshots = set[str]()
        self._stop = threading.Event()
        self.bytes = Counter[FileKind]()
        """Bytes fetched since start, by what they were of."""
        self.healed_pages = 0
        """Pages of stored segments that were mended since start."""

    async def bring(
        self, contents: Contents, active: Generation | None, sources: Sequence[ReplicaSource]
    ) -> None:
        """Have every file here that these contents need.

        :param sources: asked in this order; each goes on where the one before it ended.
        :raises SourceError: if no upstream has one of them.
        :raises SegmentError: if one is not what its head says.
        :raises StoreError: if one cannot be kept.
        """
        missing = await asyncio.to_thread(self._files.missing, contents, active)
        if missing.files or missing.bases:
            await asyncio.to_thread(self._files.drop_parts, contents)
        for dataset in missing.bases:
            await self._base(dataset, sources)
        for file in missing.files:
            await self.fetch(file, sources)

    async def fetch(self, file: File, sources: Sequence[ReplicaSource]) -> None:
        """Have one file here, whole and verified. Raises as `bring`."""
        resumed = False
        while True:
            part = await asyncio.to_thread(self._files.receive, file)
            try:
                await self._filled(part, sources)
                await asyncio.to_thread(part.finish)
            except SegmentError:
                if resumed or not part.begun_at:
                    raise
                resumed = True  # what an earlier download left may be what is wrong: once more
            else:
                return
            finally:
                self.bytes[file.kind] += part.written - part.begun_at
                # A write that was cancelled or timed out runs on in its thread: closing waits for
                # it, or its descriptor's number could be the journal's by then.
                await asyncio.shield(asyncio.to_thread(part.close))

    async def _filled(self, part: Part, sources: Sequence[ReplicaSource]) -> None:
        file, first = part.file, None
        for source in sources:
            if part.written == file.size:
                return
            try:
                await source.file(file.kind, file.name, file.size, part, start=part.written)
            except SourceError as error:
                # What one upstream has in another form is asked for, though another is away.
                other_form = file.kind is FileKind.SNAPSHOT and isinstance(error, FileAbsent)
                first = error if other_form else first or error
            else:
                return
        if first is not None and part.written != file.size:
            raise first

    async def _base(self, dataset: Dataset, sources: Sequence[ReplicaSource]) -> None:
        segment = File.of(FileKind.SEGMENT, dataset)
        if await self._mended(segment, sources):
            return
        snapshot = dataset.snapshot
        # Nobody but the head says how large it is: more than the base, and it saves nothing.
        useful = snapshot is not None and snapshot.size < dataset.size
        if snapshot is not None and useful and snapshot.name not in self._useless_snapshots:
            try:
                await self._expanded(dataset, snapshot, sources)
            except FileAbsent:
                pass  # a gate's export holds bases as the gate has them: unpacked
            except (SegmentError, LayoutError):
                # The rows are to be had unpacked, too: this one is not asked for again.
                self._useless_snapshots.add(snapshot.name)
            else:
                return
        await self.fetch(segment, sources)

    async def _expanded(
        self, dataset: Dataset, snapshot: Blob, sources: Sequence[ReplicaSource]
    ) -> None:
        packed = File.of(FileKind.SNAPSHOT, snapshot)
        if not await asyncio.to_thread(self._files.holds, packed):
            await self.fetch(packed, sources)
        self._stop.clear()
        try:
            await asyncio.to_thread(self._expand, dataset, packed)
        except asyncio.CancelledError:
            self._stop.set()  # the thread ends soon; what it unpacked from stays for the next time
            raise
        except (SegmentError, LayoutError):
            await asyncio.to_thread(self._files.discard, packed)
            raise
        await asyncio.to_thread(self._files.discard, packed)

    def _expand(self, dataset: Dataset, packed: File) -> None:
        from cache.replica.snapshot import read_snapshot  # noqa: PLC0415 - loads numpy

        self._files.require_room(dataset.size)
        directory, file = self._files.directory, File.of(FileKind.SEGMENT, dataset)
        path = file.within(directory)
        path = path.with_name(path.name + _EXPANDED)
        try:
            read_snapshot(packed.within(directory), path, size=dataset.size, stop=self._stop.is_set)
            self._files.keep_segment(path, file)
        except OSError as error:
            raise store_error("expand a snapshot", error) from error
        finally:
            remove(path)

    async def _mended(self, segment: File, sources: Sequence[ReplicaSource]) -> bool:
        """Return whether a damaged base is whole again: only its damaged leaves are fetched."""
        damaged = await asyncio.to_thread(self._files.damaged_leaves, segment)
        hashes = await asyncio.to_thread(self._files.signed_leaves, segment)
        if hashes is None or not damaged or len(damaged) > MOST_MENDED:
            return False
        for source in sources:
            try:
                leaves = {leaf: await self._leaf(segment, leaf, hashes, source) for leaf in damaged}
                mended = await asyncio.to_thread(self._files.mend, segment, leaves)
            except (SourceError, SegmentError):
                continue  # the whole may be had where its parts are not; that fails by itself
            self.healed_pages += mended
            return True
        return False

    async def _leaf(
        self, segment: File, leaf: int, hashes: Sequence[bytes], source: ReplicaSource
    ) -> bytes:
        start, end = leaf_range(segment, leaf)
        data = await source.part_of(FileKind.SEGMENT, segment.name, start, end)
        self.bytes[FileKind.SEGMENT] += len(data)
        require_leaf(hashes[leaf], data)
        return data
