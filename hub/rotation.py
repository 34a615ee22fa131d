"""Replacing a key of the hub, and moving the root's elsewhere: whole, whenever the power goes.

A new key lies beside the old one, as `….key.new`, until gates are told of it; then it takes its
place. Whatever interrupts this, `settle` brings it to an end, one way or the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import SSlibKey

from admission.instant import Instant
from cache.replica.durable import rename_durably, sync, write_all, write_durably
from cache.replica.keys import private_pem
from hub.errors import KeyFileError, PublishError
from hub.folder import DataFolder
from hub.keys import (
    HEAD,
    HEAD_KEY,
    ROOT,
    TRUST_ROLES,
    key_file,
    load_keys,
    new_key,
    parse_key,
    read_key,
    write_head_keys,
    write_key,
)
from hub.publish import Publisher
from hub.trust_files import TrustFiles, mapped
from hub.trust_repository import TrustRepository

ROTATED = (HEAD, *(role for role in TRUST_ROLES if role != ROOT), ROOT)
"""The roles whose keys can be replaced."""
NEW = ".new"


def rotate(
    folder: DataFolder,
    role: str,
    now: Instant,
    *,
    root_key: Path | None,
    entropy: Callable[[int], bytes],
) -> None:
    """Replace a role's key, and sign anew what the old one had signed.

    :param root_key: where the root's key is, unless it is at the hub; a new root key replaces it
        there. Not needed for the head's key: the targets vouch for that.
    :raises KeyFileError: if the root's key is needed and not to be had, or a file can't be written.
    :raises PublishError: if the metadata or the head cannot be written; try again.
    """
    settle(folder, root_key)
    if role == HEAD:
        _replace_head_key(folder, entropy)
    else:
        path = root_key or folder.keys / key_file(ROOT)
        root = _root_key(path, removable=root_key is not None)
        place = path if role == ROOT else folder.keys / key_file(role)
        key = new_key(entropy)
        _write_new(place, key)
        signers = [root, key] if role == ROOT else [root]
        try:
            _repository(folder).replace_root({role: key.public_key()}, signers, now)
        except (KeyFileError, PublishError):
            settle(folder, root_key)  # no key lies about that nobody was told of
            raise
        _take_place(place)
    publish_again(folder, now)


def is_settled(folder: DataFolder) -> bool:
    """Return whether there is a root file, and no rotation at the hub was interrupted."""
    return folder.root_file.is_file() and not any(folder.keys.glob(f"*{NEW}"))


def settle(folder: DataFolder, root_key: Path | None = None) -> None:
    """Bring a rotation that was interrupted to its end: gates were told of the key, or were not.

    :param root_key: where the root's key is, unless it is at the hub.
    :raises KeyFileError: if a file cannot be read or written.
    :raises PublishError: if the root cannot be read.
    """
    with mapped():
        root = TrustFiles(folder.replica).newest_root()
    if root is None:
        return
    for role in TRUST_ROLES:
        place = folder.keys / key_file(role)
        place = root_key if role == ROOT and root_key is not None else place
        new = place.with_name(place.name + NEW)
        try:
            key = parse_key(new.read_bytes()) if new.exists() else None
            if key is not None and _keyid(key) in root.signed.roles[role].keyids:
                _take_place(place)
            else:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(new, error) from error
    _write_root_file(folder, root.data)


def publish_again(folder: DataFolder, now: Instant) -> None:
    """Sign what is published with the keys that are here now, and renew `root.json`.

    :raises KeyFileError: if a key cannot be read, or `root.json` cannot be written.
    :raises PublishError: if the metadata or the head cannot be written.
    """
    keys = load_keys(folder.keys)
    repository = TrustRepository(folder.replica, keys)
    repository.publish(repository.targets(), now)
    publisher = Publisher(folder.published, keys)
    if publisher.published() is not None:
        publisher.revouch(now)
    data = repository.root()
    if data is not None:
        _write_root_file(folder, data)


def take_offline(folder: DataFolder, file: Path) -> None:
    """Move the root's key to a file elsewhere: written, read back, and only then removed here.

    :raises KeyFileError: if there is none here, the file exists, or it cannot be written whole.
    """
    here = folder.keys / key_file(ROOT)
    key = _root_key(here, removable=False)
    try:
        _write_elsewhere(file, private_pem(key))
    except FileExistsError as error:
        msg = f"{file} is there already"
        raise KeyFileError(msg, hint="keys are never overwritten: choose another name") from error
    except OSError as error:
        msg = f"the root key cannot be written to {file}: {error.strerror}"
        raise KeyFileError(msg, hint="it is still here; check the medium") from error
    if read_key(file, removable=True).private_bytes_raw() != key.private_bytes_raw():
        msg = f"{file} does not hold what was written"
        raise KeyFileError(msg, hint="the root key is still here; use another medium")
    try:
        here.unlink()
        sync(folder.keys)
    except OSError as error:
        msg = f"the root key is in {file}, and cannot be removed here: {error.strerror}"
        raise KeyFileError(msg, hint=f"remove {here}") from error


def _replace_head_key(folder: DataFolder, entropy: Callable[[int], bytes]) -> None:
    keys = load_keys(folder.keys)
    key = new_key(entropy)
    try:
        # First: whichever of the two is found later, heads of both can be read.
        write_head_keys(folder.keys, [key.public_key(), *keys.own_heads])
        write_key(folder.keys / HEAD_KEY, key)
    except OSError as error:
        raise _unwritable(folder.keys / HEAD_KEY, error) from error


def _keyid(key: Ed25519PrivateKey) -> str:
    return SSlibKey.from_crypto(key.public_key()).keyid


def _root_key(path: Path, *, removable: bool) -> Ed25519PrivateKey:
    if not path.exists():
        msg = f"the root key is not at {path}"
        raise KeyFileError(msg, hint="give the file that it was moved to: --root-key FILE")
    return read_key(path, removable=removable)


def _repository(folder: DataFolder) -> TrustRepository:
    return TrustRepository(folder.replica, load_keys(folder.keys))


def _write_new(place: Path, key: Ed25519PrivateKey) -> None:
    new = place.with_name(place.name + NEW)
    try:
        new.unlink(missing_ok=True)
        _write_elsewhere(new, private_pem(key))
    except OSError as error:
        raise _unwritable(new, error) from error


def _take_place(place: Path) -> None:
    try:
        rename_durably(place.with_name(place.name + NEW), place)
    except OSError as error:
        raise _unwritable(place, error) from error


def _write_root_file(folder: DataFolder, data: bytes) -> None:
    try:
        if not folder.root_file.exists() or folder.root_file.read_bytes() != data:
            write_durably(folder.root_file, data, mode=0o644)
    except OSError as error:
        raise _unwritable(folder.root_file, error) from error


def _write_elsewhere(path: Path, data: bytes) -> None:
    """Write a new file through to the medium, which may be one that keeps no modes (FAT)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
        # What is read back shall come from the medium, not from memory.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
    sync(path.parent)


def _unwritable(path: Path, error: OSError) -> KeyFileError:
    msg = f"{path} cannot be written: {error.strerror}"
    return KeyFileError(msg, hint="check the folder's permissions and space")
