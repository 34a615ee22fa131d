"""The law in force at this gate: made from signed documents, swapped as a whole, never half."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import msgspec

from admission.acceptance_format import load_value_sets
from admission.credential import Credential
from admission.credentials.dcc_revocations import read_revocations
from admission.credentials.dcc_signers import read_signers
from admission.credentials.health_card_issuers import read_issuers as read_health_card_issuers
from admission.credentials.pass_issuers import read_issuers as read_pass_issuers
from admission.credentials.rotating_scheme import Schemes
from admission.credentials.trust import Stranger, Trust
from admission.credentials.vds_nc_authorities import read_authorities
from admission.errors import AdmissionError, TrustError
from admission.instant import Instant
from admission.law import Law
from admission.orders import Orders, read_orders
from admission.rulebook import Rulebook
from admission.rulebook_loading import load_rulebook
from admission.rulebooks import Rulebooks
from admission.site import Site
from appliance.health import Finding

RULEBOOK_PREFIX = "rulebook/"
ORDERS = "orders"
VALUE_SETS = "values/dcc"
REVOCATIONS = "revocation/dcc"
READERS: Mapping[str, tuple[str, Callable[[bytes], Any]]] = {
    "trust/dcc": ("dcc", read_signers),
    "trust/health-cards": ("health_cards", read_health_card_issuers),
    "trust/vds": ("seals", read_authorities),
    "trust/passes": ("passes", read_pass_issuers),
    REVOCATIONS: ("revoked", read_revocations),
}
"""Document of the release → the part of `Trust` that it fills, and how it is read."""


class LawInForce:
    """Implements `judging.LawSource`. What cannot be used keeps the one before in force.

    :param own: the rulebook of the site's configuration.
    :param rotating: the wallets' schemes, whose secrets never travel with a release.
    :param strangers: integrators' parsers.
    """

    def __init__(
        self, own: Rulebook, *, rotating: Schemes = (), strangers: Stranger | None = None
    ) -> None:
        self._own = own
        self._law = Law(Rulebooks(own), trust=Trust(rotating=rotating, strangers=strangers))
        self._used: dict[str, tuple[bytes, Any]] = {}
        self._refused: dict[str, str] = {}
        self._left_out = 0

    @property
    def law(self) -> Law:
        """The law of this moment."""
        return self._law

    def take(self, documents: Mapping[str, bytes]) -> None:
        """Let these documents be in force from now on, and those that are missing no longer.

        Reads what has changed, which takes tens of milliseconds: call it off the loop. Only one
        call at a time. Never raises for what a document holds.

        One that cannot be used and that none came before is not taken for absent: without an order
        or a rulebook the law is not `whole`, without the revocations none is `revocations_read`.

        :param documents: empty bytes for one that the release names and that is not here.
        """
        used: dict[str, tuple[bytes, Any]] = {}
        refused: dict[str, str] = {}
        for name, data in documents.items():
            before = self._used.get(name)
            if before is not None and before[0] == data:
                used[name] = before
                continue
            read = _reader(name)
            if read is None:
                continue
            try:
                used[name] = (data, read(data) if data else _absent())
            except Exception as error:  # noqa: BLE001 - no document stops a gate, start after start
                known = isinstance(error, AdmissionError)
                refused[name] = str(error) if known else f"{type(error).__name__} in its reader"
                if before is not None:
                    used[name] = before
        values = {name: value for name, (_, value) in used.items()}
        law = self._law_of(values, unread=refused.keys() - used.keys())
        self._used, self._refused, self._law = used, refused, law
        self._left_out = sum(len(getattr(value, "refused", ())) for _, value in used.values())

    def is_withdrawn(self, credential: Credential, now: Instant) -> bool:
        """Return whether a revocation slice names this certificate."""
        return self._law.is_withdrawn(credential, now)

    def whole(self) -> Finding:
        """Return whether people can enter: not by a law of which a part was never read."""
        if self._law.whole:
            return Finding(ok=True)
        why = "a document of the release was never read here: nobody enters until it is"
        return Finding(ok=False, why=why)

    def directive(self, site: Site, now: Instant) -> Finding:
        """Return whether the rulebook in force has the directive in force: no card opens without.

        :param site: this gate's, as configured.
        """
        book = self._law.rulebook_at(site, now)
        directive = self._law.site_at(site, now).directive
        if directive in book.directives:
            return Finding(ok=True)
        why = f"the rulebook in force, {book.label}, has no directive {directive}: no card opens"
        return Finding(ok=False, why=why)

    def finding(self) -> Finding:
        """Return which documents could not be used, for the health report."""
        facts: dict[str, str | int | float | bool | None] = {
            "documents": len(self._used),
            "rulebooks": sum(1 for _ in self._law.rulebooks),
            "entries left out": self._left_out,
        }
        why = "; ".join(f"{name}: {reason}" for name, reason in sorted(self._refused.items()))
        return Finding(ok=not self._refused, why=why, facts=facts)

    def _law_of(self, values: Mapping[str, Any], *, unread: Collection[str]) -> Law:
        parts = {READERS[name][0]: value for name, value in values.items() if name in READERS}
        published = (book for name, book in values.items() if name.startswith(RULEBOOK_PREFIX))
        value_sets = values.get(VALUE_SETS, {})
        own, *others = (_with_values(book, value_sets) for book in (self._own, *published))
        kept = self._law.trust
        return Law(
            Rulebooks(own, others),
            values.get(ORDERS, Orders()),
            Trust(**parts, rotating=kept.rotating, strangers=kept.strangers),
            whole=not any(n == ORDERS or n.startswith(RULEBOOK_PREFIX) for n in unread),
            revocations_read=REVOCATIONS not in unread,
        )


def _absent() -> NoReturn:
    """Say what is the matter with a document of the release that is not here."""
    raise TrustError("its file is missing or damaged", hint="it is fetched again from the hub")


def _with_values(book: Rulebook, value_sets: Mapping[str, list[str]]) -> Rulebook:
    """Give a rulebook the published value sets where it has country rules and none of its own."""
    if book.acceptance is None or book.value_sets or not value_sets:
        return book
    return msgspec.structs.replace(book, value_sets=value_sets)


def _reader(name: str) -> Callable[[bytes], Any] | None:
    if name == ORDERS:
        return read_orders
    if name == VALUE_SETS:
        return load_value_sets
    if name.startswith(RULEBOOK_PREFIX):
        return load_rulebook
    found = READERS.get(name)
    return None if found is None else found[1]
