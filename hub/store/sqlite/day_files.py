"""The open files of days: a few at a time, the last used stay open. For one thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hub.days import day_named, name_of
from hub.store.sqlite import opening
from hub.store.sqlite.day_file import DayFile

_SUFFIX = ".db"
_DAMAGED = ".damaged"
_BESIDE = ("-wal", "-shm")


class DayFiles:
    """Opens days as they are asked for.

    :param folder: holds one file a day; it must exist to write.
    :param limit: how many stay open. One transaction may open more; they are closed at its end.
    """

    def __init__(self, folder: Path, *, write: bool, limit: int) -> None:
        self._folder = folder
        self._write = write
        self._limit = limit
        self._open: OrderedDict[int, DayFile] = OrderedDict()

    def get(self, day: int) -> DayFile | None:
        """Return a day's file; None if it is not there and this one only reads.

        :raises StoreError: if it is no usable file.
        """
        found = self._open.pop(day, None)
        if found is not None and not found.writing and not found.current:
            found.close()
            found = None
        if found is None:
            found = DayFile.open(self.path(day), day, write=self._write)
        if found is not None:
            self._open[day] = found
        return found

    def path(self, day: int) -> Path:
        """Return where a day's file is, or would be."""
        return self._folder / (name_of(day) + _SUFFIX)

    def written(self) -> Iterator[DayFile]:
        """Yield files with a transaction that writes, by day."""
        for _, file in sorted(self._open.items()):
            if file.writing:
                yield file

    def trim(self) -> None:
        """Close the files that were not used for longest, down to the limit."""
        while len(self._open) > self._limit:
            _, oldest = self._open.popitem(last=False)
            oldest.close()

    def undo(self) -> None:
        """Give up what was written and not committed: what is remembered of it goes, too."""
        for file in list(self.written()):
            self._open.pop(file.day).close()

    def drop(self, day: int) -> None:
        """Remove a day's file, as far as it is there."""
        found = self._open.pop(day, None)
        if found is not None:
            found.close()
        path = self.path(day)
        # The log goes last: alone it is nothing, and the engine ignores it.
        for name in (path.name, *(path.name + beside for beside in _BESIDE)):
            (self._folder / name).unlink(missing_ok=True)

    def opened(self) -> list[int]:
        """Return the days whose files are open."""
        return list(self._open)

    def set_aside_damaged(self, day: int) -> Path | None:
        """Rename a day's file if its content is damaged, so that it holds up no other day.

        Reads all of it. What it held is missed from then on, as where a file is lost; whoever can
        mend it finds it beside the others, with its log.

        :returns: its name now; None if it is sound.
        """
        found = self._open.pop(day, None)
        if found is not None:
            found.close()
        path = self.path(day)
        if opening.is_sound(path):
            return None
        aside, number = path.with_name(path.name + _DAMAGED), 1
        while aside.exists():
            number += 1
            aside = path.with_name(f"{path.name}{_DAMAGED}-{number}")
        for beside in ("", *_BESIDE):
            with suppress(FileNotFoundError):
                path.with_name(path.name + beside).rename(aside.with_name(aside.name + beside))
        return aside

    def size(self, day: int) -> int:
        """Return how many bytes a day takes on the medium, its log included."""
        path = self.path(day)
        sizes = 0
        for name in (path.name, path.name + _BESIDE[0]):
            try:
                sizes += (self._folder / name).stat().st_size
            except FileNotFoundError:
                continue
        return sizes

    def on_disk(self) -> list[int]:
        """Return the days that have a file."""
        if not self._folder.is_dir():
            return []
        names = (path.name for path in self._folder.iterdir())
        days = (day_named(name.removesuffix(_SUFFIX)) for name in names if name.endswith(_SUFFIX))
        return sorted(day for day in days if day is not None)

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()
