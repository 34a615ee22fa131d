"""Where an appliance keeps its replica, and whom it believes about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.config import Config
from cache.replica.contents import Subscription, subscription
from cache.replica.keys import hash_key_id, load_root
from cache.replica.lock import locked
from cache.replica.store import ReplicaStore
from cache.replica.trust import Trust
from cache.replica.vouching import Vouching

REPLICA, TRUST, IMPORTED = "replica", "trust", "imported"
"""Folders of the state folder; the last one within the first: what came on a medium."""

_log = logging.getLogger(__name__)


def subscription_of(config: Config) -> Subscription:
    """Return which datasets and documents of a release an appliance takes."""
    return subscription(config.site.id, config.hub.leave_out)


@contextmanager
def kept_store(
    directory: Path, takes: Subscription, trust: Vouching, hash_key: bytes
) -> Iterator[ReplicaStore]:
    """Yield the replica's directory, which is this process's alone for the block.

    :param takes: which datasets and documents of a release the site subscribes to.
    :raises StoreError: if another process holds it, or it cannot be made.
    """
    with locked(directory):
        yield ReplicaStore(directory, trust, hash_key_id(hash_key), takes=takes)


def kept_trust(directory: Path, root_file: Path) -> Trust:
    """Return whom this appliance believes, by the root file that somebody put here.

    :raises KeyFileError: if that file cannot be read.
    :raises TrustError: if it is no root.
    :raises StoreError: if what was accepted cannot be kept in the directory.
    """
    trust = Trust.open(directory, load_root(root_file))
    if trust.notes:
        _log.warning("trusted metadata is fetched again", extra={"count": len(trust.notes)})
    return trust
