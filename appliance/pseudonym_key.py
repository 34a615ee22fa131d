"""Where the key of the pseudonyms is kept: in memory that is gone when the power is, or on disk.

In memory: a folder of ours, 0700, beneath `$RUNTIME_DIRECTORY` (systemd's, kept over restarts of
the service by `RuntimeDirectoryPreserve=`), else `$XDG_RUNTIME_DIR`, else `/dev/shm`. Each counts
only if it is a file system without a medium; where none is, the key is kept in the process alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from admission.errors import WireError
from admission.passage import JOURNAL_ID_BYTES
from admission.wire import unpack_bounded
from appliance.journal_table import Remember
from cache.replica.durable import remove, write_durably

KEY_BYTES = 32
KEY_FILE = "pseudonyms.key"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, whose owner is checked
MAX_KEY_FILE_BYTES = 256
MAX_MOUNTS_BYTES = 1 << 20
_VERSION = 1
_MOUNTS = Path("/proc/self/mountinfo")
_MEMORY = frozenset({"tmpfs", "ramfs"})
_log = logging.getLogger(__name__)
_pack = msgspec.msgpack.Encoder().encode


class KeyRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The key in force.

    :ivar era: the zone's reset that it was made after (`Reset.ordinal`), None while undated.
    :ivar named_from: the first sequence of this journal whose token may be of this key.
    """

    version: int
    key: bytes
    era: int | None
    journal: bytes
    named_from: int

    def __repr__(self) -> str:
        return "KeyRecord(...)"


class KeyPlace:
    """The file of the key. Its methods block.

    :param folder: None keeps nothing: the key ends with the process.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def read(self) -> KeyRecord | None:
        """Return the key that is there; None where there is none that is ours and whole."""
        if self.folder is None:
            return None
        try:
            data = _own_bytes(self.folder / KEY_FILE)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("the key of who is inside cannot be read: a new one", exc_info=error)
            return None
        record = _record(data)
        if record is None:
            _log.warning("the key of who is inside is damaged, or not ours: a new one is made")
        return record

    def write(self, record: KeyRecord) -> None:
        """Replace the key: the one before is not there any more.

        :raises OSError: if it cannot be written; the one before is removed even so.
        """
        if self.folder is None:
            return
        path = self.folder / KEY_FILE
        try:
            write_durably(path, _pack(record))
        except OSError:
            remove(path)
            raise


def key_place(
    remember: Remember,
    state: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    is_memory: Callable[[Path], bool] | None = None,
) -> KeyPlace:
    """Return where the key of this state folder is kept. A key left elsewhere is removed.

    :param is_memory: whether a folder is on a file system without a medium; the mounts tell.
    """
    if remember is Remember.UNTIL_RESET:
        return KeyPlace(state)
    try:
        remove(state / KEY_FILE)
    except OSError as error:
        _log.warning("an earlier key of who is inside cannot be removed", exc_info=error)
    name = hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:16]
    for base in _bases(environment):
        folder = base / f"chot-{name}"
        try:
            if (is_memory or on_memory)(base) and _own_folder(folder):
                return KeyPlace(folder)
        except OSError:
            continue
    _log.warning("who is inside is known until the next restart only: no folder of ours in memory")
    return KeyPlace(None)


def on_memory(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether a folder is on a file system that is lost with the power: tmpfs, ramfs.

    :raises OSError: if the folder is not there, or the mounts cannot be read.
    """
    device = folder.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with mounts.open("rb") as file:
        text = file.read(MAX_MOUNTS_BYTES).decode("utf-8", "replace")
    for line in text.splitlines():  # proc(5): ... major:minor ... - type source options
        fields, _, kind = line.partition(" - ")
        if fields.split(" ")[2:3] == [wanted]:
            return kind.split(" ")[0] in _MEMORY
    return False


def _bases(environment: Mapping[str, str]) -> list[Path]:
    # systemd names several runtime directories with colons between them.
    named = (environment.get(name, "") for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"))
    return [*(Path(value.split(":")[0]) for value in named if value), SHARED_MEMORY]


def _own_folder(folder: Path) -> bool:
    """Make the folder where it is missing; return whether it is ours alone, and no link."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )


def _own_bytes(path: Path) -> bytes:
    """Return the bytes of a file, none if somebody else could have written or read it.

    :raises OSError: if it cannot be read, or is a link.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or stat.S_IMODE(found.st_mode) & 0o077:
            return b""
        return os.read(descriptor, MAX_KEY_FILE_BYTES + 1)
    finally:
        os.close(descriptor)


def _record(data: bytes) -> KeyRecord | None:
    try:
        value = unpack_bounded(data, MAX_KEY_FILE_BYTES)
        record = msgspec.convert(value, KeyRecord, builtin_types=(bytes,))
    except (WireError, msgspec.ValidationError):
        return None
    right = record.version == _VERSION and len(record.key) == KEY_BYTES
    return record if right and len(record.journal) == JOURNAL_ID_BYTES else None


def new_record(key: bytes, era: int | None, journal: bytes, named_from: int) -> KeyRecord:
    """Return the record of a key."""
    return KeyRecord(_VERSION, key, era, journal, named_from)
