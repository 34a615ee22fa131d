"""Puts enrolment and TLS before a hub's application, from what its folder holds."""

from __future__ import annotations

import secrets

from aiohttp import web

from admission.enrolment import Region
from admission.ports import Clock
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.keys import load_hash_key, load_root
from hub.access import log
from hub.authority import has_authority, load_authority
from hub.enrolment_doors import EnrolmentDoors
from hub.errors import HubError, KeyFileError
from hub.folder import DataFolder
from hub.server_certificate import ServerCertificate, TlsOptions
from hub.store.port import Store


def enrolling(
    app: web.Application, store: Store, folder: DataFolder, tls: TlsOptions | None, clock: Clock
) -> ServerCertificate | None:
    """Add enrolment to a hub's application; return the certificate to serve TLS with, if asked.

    A folder of an earlier version, which has no authority yet, serves without enrolment.

    :raises HubError: if TLS is asked for and cannot be had, or the authority's files are damaged.
    """
    if not has_authority(folder.keys):
        if tls is not None:
            raise HubError("this hub has no authority yet", hint="`chot hub init` makes it")
        log.warning("no gates can be enrolled: `chot hub init` makes what that needs")
        return None
    authority = load_authority(folder.keys)
    certificate = None
    chain = [authority.certificate]
    if tls is not None:
        certificate = ServerCertificate(folder.keys, authority, tls, clock)
        chain = certificate.chain
    EnrolmentDoors(
        store,
        authority,
        clock,
        chain=chain,
        region=lambda: _region(folder),
        random_bytes=secrets.token_bytes,
    ).add_to(app)
    return certificate


def _region(folder: DataFolder) -> Region:
    """Return what every gate has. The root is read anew: keys are rotated while the hub serves."""
    try:
        return Region(load_root(folder.root_file), load_hash_key(folder.hash_key))
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
