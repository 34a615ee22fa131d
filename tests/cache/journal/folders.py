"""The simulated gate's journal, put into a real folder."""

from __future__ import annotations

import os
from pathlib import Path

from cache.journal.anchor import ANCHOR_NAME
from cache.journal.catalogue import list_files
from tests.cache.journal.anchored import DIRECTORY, Gate


def put(gate: Gate, folder: Path) -> Path:
    """Write the journal's files and its anchor into a folder, and return that."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in list_files(gate.disk, DIRECTORY):
        (folder / file.path.name).write_bytes(gate.disk.content(file.path))
    (folder / ANCHOR_NAME).write_bytes(gate.disk.content(DIRECTORY / ANCHOR_NAME))
    return folder


def not_ours(path: Path, kind: str) -> None:
    """Put something under this name that is no file."""
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to("/nonexistent")
        case "loop":
            path.symlink_to(path.name)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
