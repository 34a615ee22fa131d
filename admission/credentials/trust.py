"""Whose word counts here: the keys of everybody whose signature a gate believes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from admission.credential import Credential
from admission.credentials.dcc_revocations import NOTHING_REVOKED, Revocations
from admission.credentials.dcc_signers import Signers
from admission.credentials.health_card_issuers import Issuers
from admission.credentials.pass_issuers import PassIssuers
from admission.credentials.rotating_scheme import Schemes
from admission.credentials.vds_nc_authorities import Authorities

Stranger = Callable[[str, bytes], Credential | None]
"""An integrator's parsers: text and payload in, what they make of it out. Never raises."""


class Trust(msgspec.Struct, frozen=True):
    """The issuers' keys by format. What is left out trusts nobody.

    `revoked` are the EU's slices, asked beside the exact lists of the replica. `strangers` is asked
    for what no format of ours knows, and answers within a bound of its own.
    """

    dcc: Signers = Signers(())
    revoked: Revocations = NOTHING_REVOKED
    health_cards: Issuers = Issuers(())
    seals: Authorities = Authorities(())
    passes: PassIssuers = PassIssuers()
    rotating: Schemes = ()
    strangers: Stranger | None = None


NOBODY = Trust()
