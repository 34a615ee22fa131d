"""Taking a release that came on a medium: judged as the hub's, laid where the gate looks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from appliance.clock import SystemClock
from appliance.errors import ApplianceError
from appliance.offline_replica import Stored
from appliance.replica_keeping import IMPORTED
from cache.errors import HeadError, SourceError
from cache.replica.contents import Contents
from cache.replica.directory_source import DirectorySource
from cache.replica.download import File
from cache.replica.head import verify_head
from cache.replica.mirror import Progress, write_mirror
from cache.replica.offers import offers
from cache.replica.source import FileKind, path_of
from cache.replica.verification import files_of


def mirror_in(folder: Path) -> Path:
    """Return the folder that holds the head: the one given, its `replica`, or `published/replica`.

    :raises ApplianceError: if none does.
    """
    for candidate in (folder, folder / "replica", folder / "published" / "replica"):
        if (candidate / "head").is_file():
            return candidate
    msg = f"{folder}: no release is here"
    raise ApplianceError(
        msg, hint="name a folder that `chot replica export` wrote, or a hub's folder `published`"
    )


async def import_mirror(here: Stored, mirror: Path, progress: Progress) -> int:
    """Copy what this gate needs of a mirror to where it looks, and return the release's sequence.

    :raises ReplicaError: if the release must not be accepted here, or a file of it is damaged.
    :raises ApplianceError: if it is no newer than what answers here.
    """
    source, now = DirectorySource(mirror), SystemClock().now()
    (offer,) = await offers([source], here.store, now)
    head = offer.signed.head
    # Only now: the trust has become as new as this medium, and judges by it what is here.
    heads = [signed.head.sequence for signed in here.store.heads()]
    answering = max(*heads, await waiting(here), 0)
    if head.sequence <= answering:
        msg = f"release {head.sequence} is no newer than {answering}, which is here already"
        raise ApplianceError(msg, hint="bring a newer one")
    files = await asyncio.to_thread(_needed, here, offer.contents, mirror)
    await asyncio.to_thread(
        write_mirror,
        here.folder / IMPORTED,
        envelope=offer.signed.envelope,
        files=files,
        source=lambda file: mirror / path_of(file.kind, file.name),
        # What was judged by now, and not whatever else the medium has under such names.
        metadata=await asyncio.to_thread(here.trust.files),
        progress=progress,
    )
    return head.sequence


async def waiting(here: Stored) -> int:
    """Return the sequence of the release that was imported last, taken or not; 0 if there is none.

    One that is not signed by a key that counts here is none.
    """
    try:
        data = await DirectorySource(here.folder / IMPORTED).head()
        return verify_head(data, here.trust.head_keys).head.sequence
    except (SourceError, HeadError):
        return 0


def _needed(here: Stored, contents: Contents, mirror: Path) -> list[File]:
    """Return the files to copy: none that the gate holds, and the smaller form of each base."""
    files = []
    for _, file, base in files_of(contents):
        if here.store.files.holds(file):
            continue
        if base is not None and base.snapshot is not None:
            packed = File.of(FileKind.SNAPSHOT, base.snapshot)
            if (mirror / path_of(packed.kind, packed.name)).is_file():
                files.append(packed)
                continue
        files.append(file)
    return files
