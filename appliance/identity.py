"""The device's identity: an Ed25519 key that is born here and never leaves (RFC 8032, RFC 8410).

state/identity/device.key   the private key, PEM (PKCS #8), mode 0600
state/identity/device.pub   its public half, PEM, for a hub that is told of it by hand
state/identity/device.crt   the certificate that the hub has given it
state/identity/ca.crt       the certificate of the hub's authority, which the enrolment has pinned
state/identity/root.json    the region's root of trust, unless the configuration names another file
state/identity/hash.key     the region's secret hash key, mode 0600, likewise
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.errors import ConfigError
from cache.errors import KeyFileError
from cache.replica.durable import make_directory, write_durably
from cache.replica.keys import has_private_key, private_pem, public_pem, read_secret

_FOLDER = "identity"
_STATE_HINT = "appliance.state_dir must belong to the service's user"
_REPLACE_HINT = "move it away; a new key is made, and this gate has to be enrolled anew"


class IdentityFiles(msgspec.Struct, frozen=True):
    """Where a gate's identity lies. Makes and opens nothing by itself."""

    folder: Path

    @property
    def key(self) -> Path:
        """The private key, 0600."""
        return self.folder / "device.key"

    @property
    def public_key(self) -> Path:
        """The public key."""
        return self.folder / "device.pub"

    @property
    def certificate(self) -> Path:
        """The hub's certificate for the key, once the gate is enrolled."""
        return self.folder / "device.crt"

    @property
    def authority(self) -> Path:
        """The certificate of the hub's authority, once the gate is enrolled."""
        return self.folder / "ca.crt"

    @property
    def root(self) -> Path:
        """The region's root of trust, where the enrolment puts it."""
        return self.folder / "root.json"

    @property
    def hash_key(self) -> Path:
        """The region's hash key, 0600, where the enrolment puts it."""
        return self.folder / "hash.key"


def identity_of(state: Path) -> IdentityFiles:
    """Return where the identity lies in a state folder."""
    return IdentityFiles(state / _FOLDER)


def signing_key(files: IdentityFiles) -> Ed25519PrivateKey:
    """Return this device's key, made and kept at the first call.

    :raises ConfigError: if it cannot be made, is readable by others, or is no Ed25519 key.
    """
    try:
        if not files.key.exists():
            make_directory(files.folder)
            write_durably(files.key, private_pem(Ed25519PrivateKey.generate()))
        key = _load(files.key)
        if not files.public_key.exists():
            write_durably(files.public_key, public_pem([key.public_key()]), mode=0o644)
    except OSError as error:
        msg = f"{files.folder}: the device's key cannot be kept: {error.strerror}"
        raise ConfigError(msg, hint=_STATE_HINT) from error
    return key


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        data = read_secret(path, missing_hint=_STATE_HINT, form=has_private_key)
    except KeyFileError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} does not hold an Ed25519 private key in PEM"
        raise ConfigError(msg, hint=_REPLACE_HINT)
    return key
