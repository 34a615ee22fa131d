"""Whose signatures a journal's folder is checked by: keys that lie beside it, or that are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.daily_heads import MAX_DAILY_HEADS_BYTES, open_daily_heads
from admission.errors import WireError
from appliance.errors import ConfigError
from appliance.identity import identity_of
from appliance.offline_replica import copy_trust
from appliance.replica_keeping import TRUST
from cache.errors import CacheError, KeyFileError
from cache.journal.verification import Keys
from cache.replica.keys import load_public_keys, load_root
from cache.replica.trust import Trust

_ROOT = re.compile(r"([0-9]{1,9})\.root\.json")


def journal_keys(
    folder: Path,
    *,
    device_key: Path | None = None,
    root: Path | None = None,
    head_keys: Path | None = None,
) -> Keys:
    """Return the keys that may have signed what stands in a journal's folder.

    Where nothing is named, those of the state folder count in which the journal lies. There they
    prove what somebody did who could not write to them: to be certain, bring them from the hub.

    :param device_key: PEM file of the device's public key.
    :param root: the hub's root.json; the head keys follow from the trust that is kept beside.
    :param head_keys: PEM file of the hub's public head keys, in place of `root`.
    :raises KeyFileError: if a file that was named cannot be used.
    :raises ConfigError: if from `root` no head keys follow here.
    :raises TrustError: if `root` is no root.
    """
    state = folder.resolve().parent
    identity = identity_of(state)
    if device_key is None and identity.public_key.is_file():
        device_key = identity.public_key
    device = None if device_key is None else _one_key(device_key)
    if head_keys is not None:
        return Keys(device, load_public_keys(head_keys))
    if root is not None:
        return Keys(device, _required(_head_keys(state / TRUST, root), root))
    root = identity.root if identity.root.is_file() else _first_root(state / TRUST)
    if root is None:
        return Keys(device)
    try:
        return Keys(device, _head_keys(state / TRUST, root))
    except CacheError:
        return Keys(device)  # a trust that is damaged keeps nobody from checking the rest


def published_heads(
    lists: Sequence[Path], journal: bytes, hub: Sequence[Ed25519PublicKey]
) -> dict[int, bytes]:
    """Return the chain hashes that lists published by the hub state of a journal, by sequence.

    :param lists: files as the hub serves them under `replica/journals/`.
    :raises ConfigError: if one cannot be read, is no such list, or the hub did not sign it, or if
        no key of the hub is known.
    """
    if lists and not hub:
        raise ConfigError(
            "a published list proves nothing without the hub's keys", hint="--head-keys head.pub"
        )
    stated = {}
    for path in lists:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_DAILY_HEADS_BYTES + 1)
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}"
            raise ConfigError(msg, hint="name a list of a day") from error
        try:
            heads = open_daily_heads(data, hub)
        except WireError as error:
            msg = f"{path} is no list that this hub has published: {error}"
            hint = "fetch it again: replica/journals/YYYY-MM-DD of the hub"
            raise ConfigError(msg, hint=hint) from error
        for head in heads.journals:
            if head.journal == journal and head.through:
                stated[head.through] = head.chain_hash
    return stated


def _one_key(path: Path) -> Ed25519PublicKey:
    try:
        keys = load_public_keys(path)
    except KeyFileError as error:
        hint = "name the gate's device.pub, from its state folder's identity/"
        raise ConfigError(str(error), hint=hint) from error
    if len(keys) != 1:
        msg = f"{path} holds {len(keys)} keys"
        raise ConfigError(msg, hint="name the gate's device.pub, which holds one")
    return keys[0]


def _required(keys: tuple[Ed25519PublicKey, ...], root: Path) -> tuple[Ed25519PublicKey, ...]:
    if not keys:
        msg = f"no trust that follows from {root} is kept beside the journal"
        raise ConfigError(msg, hint="name the hub's head keys instead: --head-keys head.pub")
    return keys


def _first_root(trust: Path) -> Path | None:
    """Return the oldest root that is kept: the one that was put here when the gate was set up."""
    if not trust.is_dir():
        return None
    roots = [(int(m[1]), p) for p in trust.iterdir() if (m := _ROOT.fullmatch(p.name))]
    return min(roots)[1] if roots else None


def _head_keys(trust: Path, root: Path) -> tuple[Ed25519PublicKey, ...]:
    with TemporaryDirectory(prefix="chot-") as scratch:
        copy = Path(scratch) / TRUST
        copy_trust(trust, copy)
        trusted = Trust.open(copy, load_root(root))
        return (*trusted.head_keys, *trusted.former_keys)
