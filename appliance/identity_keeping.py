"""What an enrolment brought is kept: the files of the identity, and those of the region."""

from __future__ import annotations

from pathlib import Path

from appliance.config import Config
from appliance.enrolling import Enrolled
from appliance.errors import ConfigError
from appliance.identity import identity_of
from cache.replica.durable import make_directory, write_durably

_OPENLY = 0o644


def keep(config: Config, enrolled: Enrolled) -> None:
    """Write what an enrolment brought; the certificate last: a gate that has one is enrolled whole.

    :raises ConfigError: if a file cannot be written.
    """
    files = identity_of(Path(config.appliance.state_dir))
    region = enrolled.region
    written = (
        (files.authority, enrolled.authorities, _OPENLY, "appliance.state_dir"),
        (Path(config.hub.root_file), region.root, _OPENLY, "hub.root_file"),
        (Path(config.hub.hash_key_file), _hex(region.hash_key), 0o600, "hub.hash_key_file"),
        (files.certificate, enrolled.certificate, _OPENLY, "appliance.state_dir"),
    )
    for path, data, mode, where in written:
        try:
            make_directory(path.parent)
            write_durably(path, data, mode=mode)
        except OSError as error:
            msg = f"{path}: cannot be written: {error.strerror}"
            hint = f"{where} must lie where the service's user may write; then run this again"
            raise ConfigError(msg, hint=hint) from error


def _hex(hash_key: bytes) -> bytes:
    return hash_key.hex().encode("ascii") + b"\n"
