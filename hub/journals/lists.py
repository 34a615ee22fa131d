"""The daily lists that the hub has published, read back to hold journals against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.daily_heads import (
    DAILY_HEADS_PATH,
    DAY,
    MAX_DAILY_HEADS_BYTES,
    DailyHeads,
    open_daily_heads,
)
from admission.errors import WireError
from hub.errors import PublishError
from hub.store.entries import JournalKey

MAX_LISTS = 400
"""The newest lists that are read: more than a year of them."""


class Listed(msgspec.Struct, frozen=True):
    """What somebody signed of a journal's place. `by` says who, as "the list of 2021-09-20"."""

    by: str
    chain_hash: bytes


class Lists:
    """What all lists say: by journal and sequence."""

    def __init__(self) -> None:
        self._said: dict[JournalKey, dict[int, list[Listed]]] = defaultdict(dict)
        self.days = 0
        self.unread: list[str] = []
        """Lists that are damaged, or that no key of this hub signed."""

    def of(self, key: JournalKey) -> Mapping[int, Collection[Listed]]:
        """Return what is said of one journal."""
        return self._said.get(key, {})

    def take(self, heads: DailyHeads) -> None:
        """Take one list."""
        self.days += 1
        for one in heads.journals:
            said = self._said[JournalKey(one.device, one.journal)]
            said.setdefault(one.through, []).append(
                Listed(f"the list of {heads.day}", one.chain_hash)
            )


def read_lists(replica: Path, keys: Collection[Ed25519PublicKey]) -> Lists:
    """Return what the published lists say, as far as one of these keys signed them.

    :raises PublishError: if the folder cannot be read.
    """
    lists = Lists()
    for path in _newest(replica / DAILY_HEADS_PATH):
        try:
            with path.open("rb") as file:
                heads = open_daily_heads(file.read(MAX_DAILY_HEADS_BYTES + 1), keys)
        except WireError:
            lists.unread.append(path.name)
            continue
        except OSError as error:
            raise _unreadable(path, error) from error
        if heads.day != path.name:
            lists.unread.append(path.name)
            continue
        lists.take(heads)
    return lists


def _newest(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(path.name for path in folder.iterdir() if DAY.fullmatch(path.name))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise _unreadable(folder, error) from error
    return (folder / name for name in names[-MAX_LISTS:])


def _unreadable(path: Path, error: OSError) -> PublishError:
    msg = f"{path} cannot be read: {error.strerror}"
    return PublishError(msg, hint="check who owns published/replica/journals")
