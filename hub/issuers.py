"""Lists of foreign issuers, gathered from the files in which their keys are published.

Health cards: issuers publish a JWK set each, under `<iss>/.well-known/jwks.json`; the VCI directory
publishes daily snapshots of all its members' (`{"issuerInfo": [{"issuer": {"iss"}, "keys"}]}`).
VDS-NC: states publish their authorities' certificates (CSCA), in DER or PEM.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from admission.credentials.health_card_issuers import (
    IssuerKey,
    issuers_from_jwks,
    write_issuers,
)
from admission.credentials.vds_nc_authorities import (
    AuthorityEntry,
    checked,
    write_authorities,
)
from admission.errors import AdmissionError
from hub.errors import HubError

MAX_FILE_BYTES = 32 << 20
"""A snapshot of the VCI directory has under 2 MiB, a certificate under 16 KiB."""
JWKS_PATH = ".well-known/jwks.json"

_BY_URL = re.compile(r"(https://[^=\s]+)=(.+)", re.DOTALL)
_STATE = re.compile(r"([A-Z]{1,3})(?![A-Za-z])")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")

Step = Callable[[], None]


class Source(msgspec.Struct, frozen=True):
    """One file to read. `iss` is the issuer whose JWK set it is, empty for a snapshot."""

    path: Path
    iss: str = ""


class Gathered(msgspec.Struct, frozen=True):
    """A document, how many keys it holds, and what was left out, each with its reason."""

    document: bytes
    count: int
    refused: tuple[str, ...]


def health_card_sources(arguments: Sequence[str]) -> list[Source]:
    """Return the files that the arguments name.

    `URL=FILE` is the JWK set of that issuer. A folder is a mirror: each
    `<host>/<path>/.well-known/jwks.json` in it is the set of `https://<host>/<path>`. Any other
    file is a snapshot of the VCI directory.

    :raises HubError: if a path does not exist, or a folder holds no JWK set.
    """
    sources: list[Source] = []
    for argument in arguments:
        by_url = _BY_URL.fullmatch(argument)
        if by_url:
            sources.append(Source(_existing(by_url[2]), by_url[1]))
            continue
        path = _existing(argument)
        if not path.is_dir():
            sources.append(Source(path))
            continue
        found = sorted(path.rglob(JWKS_PATH))
        if not found:
            msg = f"{path} holds no {JWKS_PATH}"
            hint = "a mirror holds one file <host>/<path>/.well-known/jwks.json for each issuer"
            raise HubError(msg, hint=hint)
        issuers = (file.relative_to(path).parent.parent.as_posix() for file in found)
        sources += [
            Source(file, f"https://{iss}") for file, iss in zip(found, issuers, strict=True)
        ]
    return sources


def certificate_sources(arguments: Sequence[str]) -> list[Source]:
    """Return the files that the arguments name, a folder standing for the files in it.

    :raises HubError: if a path does not exist, or a folder is empty.
    """
    sources: list[Source] = []
    for argument in arguments:
        path = _existing(argument)
        found = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
        if not found:
            msg = f"{path} is empty"
            raise HubError(msg, hint="it holds certificates, in DER or PEM")
        sources += [Source(file) for file in found]
    return sources


def gather_health_cards(sources: Iterable[Source], step: Step = lambda: None) -> Gathered:
    """Return the document of the issuers' keys. A file that is wrong is left out and named.

    :param step: called after each file.
    """
    keys: set[IssuerKey] = set()
    refused: list[str] = []
    for source in sources:
        try:
            data = read_bounded(source.path)
            sets = [(source.iss, data)] if source.iss else _snapshot(data)
            for iss, jwks in sets:
                _add_key_set(source.path, iss, jwks, keys, refused)
        except (HubError, AdmissionError) as error:
            refused.append(f"{source.path}: {error}")
        step()
    return Gathered(write_issuers(keys), len(keys), tuple(refused))


def gather_authorities(
    sources: Iterable[Source], *, signers: bool = False, step: Step = lambda: None
) -> Gathered:
    """Return the document of the states' certificates. A file that is wrong is left out and named.

    A file's name begins with the state whose seals it vouches for, in the capital letters of the
    seal's header: `JPN.cer`, `NZL-2.pem`.

    :param signers: the files hold signers' own certificates, trusted without an authority.
    :param step: called after each file.
    """
    entries: set[AuthorityEntry] = set()
    refused: list[str] = []
    for source in sources:
        try:
            state = _state(source.path)
            for certificate in _certificates(read_bounded(source.path)):
                entries.add(checked(AuthorityEntry((state,), certificate, signers)))
        except (HubError, AdmissionError) as error:
            refused.append(f"{source.path}: {error}")
        step()
    return Gathered(write_authorities(entries), len(entries), tuple(refused))


def read_bounded(path: Path) -> bytes:
    """Return a file's bytes.

    :raises HubError: if it cannot be read, or is over `MAX_FILE_BYTES`.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            msg = f"a file of {size} bytes is over the limit of {MAX_FILE_BYTES}"
            raise HubError(msg)
        return path.read_bytes()
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise HubError(msg) from error


def _add_key_set(
    path: Path, iss: str, jwks: bytes, keys: set[IssuerKey], refused: list[str]
) -> None:
    try:
        found = issuers_from_jwks(iss, jwks)
    except AdmissionError as error:
        refused.append(f"{path}: {iss}: {error}")
        return
    keys.update(found.keys)
    refused.extend(f"{path}: {iss}: {reason}" for reason in found.refused)


def _state(path: Path) -> str:
    found = _STATE.match(path.name)
    if found is None:
        raise HubError("its name does not begin with a state's letters, as JPN.cer does")
    return found[1]


def _snapshot(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        content = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HubError("not JSON") from error
    listed = content.get("issuerInfo") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        msg = "no snapshot of the VCI directory; give a single JWK set as URL=FILE"
        raise HubError(msg)
    for entry in listed:
        match entry:
            case {"issuer": {"iss": str(iss)}, "keys": list(keys)}:
                yield iss, msgspec.json.encode({"keys": keys})
            case _:
                raise HubError("an entry of the snapshot names no issuer or keys")


def _certificates(data: bytes) -> list[bytes]:
    if not data.lstrip().startswith(b"-----"):
        return [data]
    try:
        found = [base64.b64decode(body, validate=False) for body in _PEM.findall(data)]
    except binascii.Error as error:
        raise HubError("a PEM certificate is damaged") from error
    if not found:
        raise HubError("PEM without a certificate")
    return found


def _existing(text: str) -> Path:
    path = Path(text)
    if not path.exists():
        msg = f"{path} does not exist"
        raise HubError(msg, hint="name files or folders; an issuer's JWK set is URL=FILE")
    return path
