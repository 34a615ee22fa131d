"""Names of datasets and documents in the head, and what each dataset's rows are."""

from __future__ import annotations

import msgspec

from admission.standing import Officer, Permit, PersonFacts, RosterEntry, WatchEntry, Withdrawal
from cache.replica.alias import Alias

PERSONS = "persons"
"""Eligibility facts, by each identifier of a person."""
ALIASES = "aliases"
"""Further identifiers of the people in `persons`: one record each, however many numbers."""
CREDENTIALS = "credentials"
"""Withdrawn credentials, by each name under which a credential may be withdrawn."""
PERMITS = "permits"
"""Movement permits, by each identifier of a person and a slot (`identity.permit_keys`)."""
WATCH = "watch"
"""Whom an authority looks for, by each identifier."""
OFFICERS = "officers"
"""Officers' accounts, by each identifier and by the subject of their badge."""
ROSTER = "roster"
"""The kind of all rosters; each site's is named by `roster_name`."""

NEEDED = frozenset({PERSONS, ALIASES, CREDENTIALS, WATCH})
"""Datasets without whose answer nothing is decided."""

RECORDS: dict[str, type[msgspec.Struct]] = {
    PERSONS: PersonFacts,
    ALIASES: Alias,
    CREDENTIALS: Withdrawal,
    PERMITS: Permit,
    WATCH: WatchEntry,
    OFFICERS: Officer,
    ROSTER: RosterEntry,
}
"""What the rows of each kind of dataset say."""

RULEBOOK = "rulebook"
"""Kind of the rulebooks, `rulebook/<id>`."""
TRUST_DCC = "trust/dcc"
TRUST_HEALTH_CARDS = "trust/health-cards"
TRUST_VDS = "trust/vds"
TRUST_PASSES = "trust/passes"
REVOCATION_DCC = "revocation/dcc"
VALUES_DCC = "values/dcc"
SEAL_JOURNAL = "seal/journal"
"""Whom gates seal entries for (`admission.seal_recipient`): the hub's own, put by nobody else."""
ORDERS = "orders"
"""Which directive is in force where, and from when."""


def roster_name(site_id: str) -> str:
    """Return the name of a site's roster.

    >>> roster_name("gate-7")
    'roster/gate-7'
    """
    return f"{ROSTER}/{site_id}"


def rulebook_name(rulebook_id: str) -> str:
    """Return the name of a rulebook's document.

    >>> rulebook_name("hcmc-2021")
    'rulebook/hcmc-2021'
    """
    return f"{RULEBOOK}/{rulebook_id}"


def kind_of(name: str) -> str:
    """Return what a dataset or document is, without whose: one of a bounded number of words.

    >>> kind_of("roster/gate-7"), kind_of("persons")
    ('roster', 'persons')
    """
    return name.partition("/")[0]
