"""The law in force: rulebooks, orders and trusted keys, as one value that is swapped as a whole."""

from __future__ import annotations

import msgspec

from admission.credential import Credential, CredentialKind
from admission.credentials import parse
from admission.credentials.trust import NOBODY, Trust
from admission.errors import TrustError
from admission.instant import Instant
from admission.orders import Orders
from admission.reading import Reading
from admission.rulebook import Rulebook
from admission.rulebooks import Rulebooks
from admission.site import Site


class Law(msgspec.Struct, frozen=True):
    """What a gate judges by. Immutable: a newer one takes its place between two readings.

    `whole` says that all orders and rulebooks of the release could be read; where one could not,
    the others let nobody in. `revocations_read` says the same of the EU's revocation slices.
    """

    rulebooks: Rulebooks
    orders: Orders = Orders()
    trust: Trust = NOBODY
    whole: bool = True
    revocations_read: bool = True

    @property
    def law(self) -> Law:
        """Itself: where one law is in force for good, it is its own source."""
        return self

    def read(self, reading: Reading, now: Instant) -> Credential:
        """Return what the reading claims and proves under the trusted keys. Never raises."""
        return parse(reading, self.trust, now)

    def site_at(self, site: Site, now: Instant) -> Site:
        """Return the site with the directive that is in force in its district now.

        An order counts from a date on: without a date that somebody vouches for, the site's own
        directive stands, and the decision refers whatever depends on it.
        """
        if not now.dated:
            return site
        directive = self.orders.directive(site.district_code, now, site.directive)
        if directive == site.directive:
            return site
        return msgspec.structs.replace(site, directive=directive)

    def rulebook_at(self, site: Site, now: Instant) -> Rulebook:
        """Return the rulebook that is in force in the site's district now."""
        return self.rulebooks.in_force(site.district_code, now)

    def is_withdrawn(self, credential: Credential, now: Instant) -> bool:
        """Return whether the EU's revocation slices name this certificate (beside the replica).

        :raises TrustError: if it is an EU certificate and the slices could not be read.
        """
        proof = credential.proof
        if not self.revocations_read and credential.kind is CredentialKind.DCC:
            raise TrustError("the revocations could not be read", hint="they are fetched again")
        if proof is None or not proof.key_id or not len(self.trust.revoked):
            return False
        return self.trust.revoked.holds(proof.key_id, proof.withdrawn_as, now.wall_ns)
