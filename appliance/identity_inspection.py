"""What this machine tells of its identity: what is missing, and how the certificate stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from admission.instant import Instant
from appliance.certificates import DeviceCertificate, load_certificate
from appliance.config import Config
from appliance.errors import ConfigError
from appliance.hub_client import HubTls
from appliance.identity import IdentityFiles, identity_of
from appliance.problem import Problem
from cache.errors import KeyFileError, TrustError
from cache.replica.keys import load_hash_key, load_public_keys, load_root, read_secret
from cache.replica.trust.judge import pinned

_ENROL = "chot enrol"
_WHERE = "appliance.state_dir"


def identity_problems(config: Config) -> Iterator[Problem]:
    """Yield what keeps this gate from being known to its hub, or the hub to it."""
    yield from _region(config)
    files = identity_of(Path(config.appliance.state_dir))
    if os.access(files.key, os.R_OK):
        try:
            read_secret(files.key)
        except KeyFileError as error:
            yield Problem(_WHERE, str(error), error.hint)
    try:
        certificate = load_certificate(files.certificate)
    except ConfigError as error:
        yield Problem(_WHERE, str(error), error.hint)
        return
    if certificate is None:
        return
    named = config.appliance.device
    if certificate.device != named:
        what = f"the certificate is for {certificate.device}, this gate calls itself {named}"
        remedy = f'set device = "{certificate.device}", or enrol it as {named}: `{_ENROL}`'
        yield Problem("appliance.device", what, remedy)
    if not _is_of_key(certificate, files):
        what = f"{files.certificate}: not of the key beside it"
        yield Problem(_WHERE, what, f"enrol this gate anew: `{_ENROL}`")


def identity_line(config: Config, now: Instant) -> tuple[bool, str]:
    """Return how the enrolment stands, in a sentence, and whether that is well."""
    try:
        files = identity_of(Path(config.appliance.state_dir))
        certificate = load_certificate(files.certificate)
    except ConfigError as error:
        return False, f"{error} → {error.hint}"
    if certificate is None:
        return False, (
            "not enrolled: the hub knows this gate if its key was registered by hand"
            f" (chot hub device NAME --public-key {files.public_key}) → `{_ENROL}`"
        )
    ends, half = certificate.ends.date(), certificate.half_life.date()
    if certificate.has_ended(now):
        return False, (
            f"enrolled as {certificate.device}, but its certificate ended on {ends}"
            " → let it run: it asks for the next one, which a person at the hub has to approve"
            " (`chot hub enrol list`)"
        )
    return True, (
        f"enrolled as {certificate.device}; certificate until {ends}, renewed by itself from {half}"
    )


def readable(where: str, name: str, remedy: str) -> Iterator[Problem]:
    """Yield why a file cannot be read by who runs this, if it cannot."""
    try:
        with Path(name).open("rb") as file:
            file.read(1)
    except PermissionError:
        yield Problem(
            where, f"{name}: no permission", f"give it to the service's user: chown chot {name}"
        )
    except OSError as error:
        yield Problem(where, f"{name}: {error.strerror}", remedy)


def _region(config: Config) -> Iterator[Problem]:
    hub = config.hub
    remedy = f"enrol this gate: `{_ENROL}`; or copy it from the hub: keys/"
    loads: tuple[tuple[str, str, str, Callable[[Path], object]], ...] = (
        ("hub.root_file", hub.root_file, f"{remedy}root.json", _root),
        ("hub.hash_key_file", hub.hash_key_file, f"{remedy}hash.key", load_hash_key),
    )
    if hub.ca_file:
        authority = "name the certificate of the hub's authority, or remove the key"
        loads += (("hub.ca_file", hub.ca_file, authority, _authority),)
    for where, name, brought, load in loads:
        missing = list(readable(where, name, brought))
        yield from missing
        if not missing:
            try:
                load(Path(name))
            except (ConfigError, KeyFileError, TrustError) as error:
                yield Problem(where, str(error), error.hint or brought)


def _authority(path: Path) -> None:
    HubTls(authority=path).context()


def _root(path: Path) -> None:
    pinned(load_root(path))


def _is_of_key(certificate: DeviceCertificate, files: IdentityFiles) -> bool:
    try:
        keys = load_public_keys(files.public_key)
    except KeyFileError:
        return True  # written anew at the next start, from the key itself
    return any(key.public_bytes_raw() == certificate.public_key for key in keys)
