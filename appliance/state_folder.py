"""The state folder and this device's own keys in it: made at the first start, private for good."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ConfigError
from appliance.identity import identity_of, signing_key
from appliance.secret import device_key


def made_folder(path: Path) -> Path:
    """Return the state folder, made with mode 0700 if it is not there.

    :raises ConfigError: if it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{path}: cannot be created: {error.strerror}"
        raise ConfigError(
            msg, hint="correct appliance.state_dir, or create it and give it to the service's user"
        ) from error
    return path


def own_keys(state: Path) -> tuple[bytes, Ed25519PrivateKey]:
    """Return the key that readings are digested with, and the one that this device signs with.

    :raises ConfigError: if one cannot be made or used.
    """
    return device_key(state / "device.key", os.urandom), signing_key(identity_of(state))
