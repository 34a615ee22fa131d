"""Rulebooks: an authority's rules as data, checked once at load and asked at the gate.

A rulebook is one JSON object, format `chot-rulebook/1`:

| key | content |
|---|---|
| `format` | `"chot-rulebook/1"` |
| `id`, `version` | name (`a-z`, `0-9`, `-`) and number from 1; both go into every journal entry |
| `title` | `{"vi", "en"}` |
| `replica_max_age_h` | hours after which knowledge the hub has not vouched for again is stale |
| `products` | product → `{"doses", "waiting_days"}`: what a full course is |
| `terms` | optional list of `{"name", "when"}`: conditions, later ones may use earlier ones |
| `cards` | list of `{"card", "when"}`: the first that is true gives the card, else `none` |
| `access` | list of `{"directive", "card", "places", "condition"?}`: what a card opens |
| `no_card` | place → `refer` or `refuse`: nobody's card opens it for this person |
| `no_record` | place → `refer` or `refuse`: a sound code that the replica does not know |
| `effective` | optional `{"from", "until"?}`, moments with an offset: when it is in force |
| `districts` | optional list of district codes; none = it counts everywhere |
| `requirements` | optional list of `{"needs", "places", "directives"?, "max_age_h"?}` |
| `passes` | optional list of `{"kind", "places", "directives"?}`: where a pass is enough |
| `anti_passback` | optional `{"window_s", "except_kinds"?, "except_passes"?, "except_places"?}` |
| `certificates` | optional `{"rules"?, "value_sets"?, "gives"?}`: what certificates must fulfil |
| `texts` | optional reason → `{"sentence", "next_step"}`: an authority's own words |
| `examples` | optional list of cases for `chot rulebook test` (`rulebook_examples`) |

`when` is CertLogic 1.3.3 (`certlogic`) over the facts that `facts.rule_data` documents (`payload`,
`external`) and the terms before it (`terms.<name>`), and yields a boolean. `condition` is what the
card asks of its holder inside, `{"vi", "en"}`. A row of `access` for the card `none` lets in who
has no card: essential needs, where an authority allows them.

`needs` is `declaration` or `test` (with `max_age_h`, 72 by default for a test, 24 for a
declaration), `permit`, or `roster`: the last asks only where the site has a list. A site's own
configuration may ask for more (`site.Demands`), never for less.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from admission.acceptance import Acceptance, Failed, Fulfilled
from admission.certlogic import Rule, truth
from admission.credential import Certificate, CredentialKind, PassKind, Proof
from admission.facts import Course, rule_data
from admission.instant import Instant
from admission.site import Demands, Place, Site
from admission.standing import PersonFacts, Product
from admission.verdict import Card, Outcome, Reason, Text, Words


class Access(msgspec.Struct, frozen=True, gc=False):
    """An opened door: what the card asks of its holder inside, or nothing."""

    condition: Text | None = None


class Needs(msgspec.Struct, frozen=True, gc=False):
    """What one place asks for beside the card under one directive. Limits in hours, None = no."""

    declaration_max_age_h: int | None = None
    test_max_age_h: int | None = None
    permit: bool = False
    roster: bool = False


NOTHING_NEEDED = Needs()
_NO_DEMANDS = Demands()


class AntiPassback(msgspec.Struct, frozen=True):
    """The window of anti-passback in ns, 0 = none, and the exceptions from it."""

    window_ns: int = 0
    kinds: frozenset[CredentialKind] = frozenset()
    passes: frozenset[PassKind] = frozenset()
    places: frozenset[Place] = frozenset()


class Rulebook(msgspec.Struct, frozen=True):
    """A rulebook that has passed its checks, rules compiled (`rulebook_loading.load_rulebook`).

    `starts_ns` and `ends_ns` are wall time; None = no limit. No `districts` = everywhere.
    """

    id: str
    version: int
    title: Text
    replica_max_age_ns: int
    courses: Mapping[Product, Course]
    terms: tuple[tuple[str, Rule], ...]
    cards: tuple[tuple[Card, Rule], ...]
    access: Mapping[tuple[int, Card, Place], Access]
    directives: frozenset[int]
    no_card: Mapping[Place, Outcome]
    no_record: Mapping[Place, Outcome]
    starts_ns: int | None = None
    ends_ns: int | None = None
    districts: frozenset[int] = frozenset()
    requirements: Mapping[tuple[int | None, Place], Needs] = {}
    passes: frozenset[tuple[int | None, PassKind, Place]] = frozenset()
    anti_passback: AntiPassback = AntiPassback()
    acceptance: Acceptance | None = None
    value_sets: Mapping[str, list[str]] = {}
    certificate_card: Card | None = None
    words: Mapping[Reason, Words] = {}

    @property
    def label(self) -> str:
        """Identifier and version, as they stand in a journal entry: `hcmc-2021-09/1`."""
        return f"{self.id}/{self.version}"

    def card_of(self, facts: PersonFacts, today: date) -> Card:
        """Return the person's card on that day: the first whose rule is true, else NONE.

        :raises RuleError: if a rule cannot be evaluated. Loading has tried every pattern of missing
            facts, so this is left to values that no release should hold.
        """
        data = rule_data(facts, self.courses, today)
        terms: dict[str, bool] = {}
        data["terms"] = terms
        for name, rule in self.terms:
            value = rule(data)
            terms[name] = value is True or truth(value)
        for card, rule in self.cards:
            value = rule(data)
            if value is True or truth(value):
                return card
        return Card.NONE

    def opening(self, directive: int, card: Card, place: Place) -> Access | None:
        """Return the access row for a card at a place under a directive; None = it stays shut."""
        return self.access.get((directive, card, place))

    def needs(self, site: Site) -> Needs:
        """Return what this site asks for: the rulebook's rows and the site's own, the stricter."""
        always = self.requirements.get((None, site.place), NOTHING_NEEDED)
        under = self.requirements.get((site.directive, site.place), NOTHING_NEEDED)
        own = site.demands
        if always is under is NOTHING_NEEDED and own == _NO_DEMANDS:
            return NOTHING_NEEDED
        return Needs(
            _least(
                always.declaration_max_age_h,
                under.declaration_max_age_h,
                own.declaration_max_age_h,
            ),
            _least(always.test_max_age_h, under.test_max_age_h, own.test_max_age_h),
            always.permit or under.permit or own.permit,
            always.roster or under.roster,
        )

    def lets_pass(self, directive: int, kind: PassKind, place: Place) -> bool:
        """Return whether this kind of pass stands in for card, record and roster there."""
        passes = self.passes
        return bool(passes) and (
            (None, kind, place) in passes or (directive, kind, place) in passes
        )

    def accepts(self, certificate: Certificate, proof: Proof, now: Instant) -> bool | None:
        """Return whether the acceptance rules accept a genuine certificate; None = left open.

        Without rules every one is accepted, and so is a format that has no data for them.
        """
        if self.acceptance is None or certificate.data is None:
            return True
        judgement = self.acceptance.judge(
            certificate.data,
            certificate.evidence,
            now,
            self.value_sets,
            issuer=proof.issuer,
            issued_ns=proof.not_before_ns,
            expires_ns=proof.expires_ns,
        )
        if isinstance(judgement, Fulfilled):
            return True
        return False if isinstance(judgement, Failed) else None

    def card_given(self, certificate: Certificate) -> Card:
        """Return the card that an accepted certificate gives by itself, NONE for none.

        Only one that the country's rules have judged gives any. Of every other it is known that it
        is genuine, not what it says: a positive test is genuine, too.
        """
        if self.acceptance is None or certificate.data is None:
            return Card.NONE
        return self.certificate_card or Card.NONE

    def in_force(self, district: int, now: Instant) -> bool:
        """Return whether the rulebook counts in this district at this moment.

        Its hours only count by a date that somebody vouches for; without one it counts.
        """
        if self.districts and district not in self.districts:
            return False
        if not now.dated:
            return True
        begun = self.starts_ns is None or self.starts_ns <= now.wall_ns
        return begun and (self.ends_ns is None or now.wall_ns < self.ends_ns)


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
