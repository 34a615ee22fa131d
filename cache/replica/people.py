"""Looking people up: whose records a credential's identifiers lead to, and what these say together.

A person has one record, under the key of the first identifier; each further identifier is an alias
that leads to it and has a status of its own. Closures over one release, made at its activation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from admission.credential import Holder
from admission.credentials.fields import MASK
from admission.identity import PersonKey
from admission.standing import CredentialStatus, PersonFacts, combined
from cache.errors import AliasError
from cache.replica import person_row
from cache.replica.alias import led_to, person_of
from cache.replica.forms import FieldForm
from cache.replica.layout import PERSONS_3, Layout
from cache.replica.reading import Keys, unreadable
from cache.replica.table import Table

FactsOf = Callable[[PersonKey], PersonFacts | None]
"""The record under a key itself. It raises where a page that could hold it is damaged."""
AliasOf = Callable[[PersonKey], tuple[PersonKey, CredentialStatus] | None]
"""Whose an alias is, and its status. It raises `AliasError` where it cannot be read."""


People = tuple[Keys, PersonKey, PersonFacts, bool]
"""Who is on record of one credential: which of its keys lead to somebody, in their order; the key
that stands for the first person, whichever identifier was shown (`alias.person_of`); and what all
the records say together, and whether they clash (`standing.combined`). A tuple, as it is made for
every person at the gate."""
PeopleReader = Callable[[Keys], People | None]


def facts_finder(persons: Table | None) -> FactsOf:
    """Return the look-up of records in `persons`; None = its segment cannot be used."""
    if persons is None:
        return unreadable
    if persons.layout is PERSONS_3:
        return person_row.facts_finder(persons)
    find, unpack = persons.find, persons.layout.unpack

    def facts_of(key: PersonKey) -> PersonFacts | None:
        record = find(key)
        return None if record is None else unpack(record)

    return facts_of


def alias_finder(aliases: Table | None) -> AliasOf:
    """Return the look-up in `aliases`; None = its segment cannot be used."""
    find = unreadable if aliases is None else aliases.find

    def alias_of(key: PersonKey) -> tuple[PersonKey, CredentialStatus] | None:
        try:
            record = find(key)
            return None if record is None else led_to(record)
        except Exception as error:
            raise AliasError("an alias cannot be read") from error

    return alias_of


def keeps_birth_year_only(layout: Layout[PersonFacts]) -> bool:
    """Return whether records say the year of birth alone, which is read as its 1 January."""
    return any(f.name == "born" and f.form is FieldForm.BIRTH_YEAR for f in layout.fields)


Compared = Callable[[PersonFacts, Holder], tuple[PersonFacts, bool]]
"""From the facts on record and what is declared to the facts that count, and whether it differs."""


def comparer(digest: Callable[[str, date], int], *, year_only: bool) -> Compared:
    """Return the comparison of a declared name and birth date with those on record.

    Both must be declared in full. Where they agree and records keep the year of birth alone, the
    facts take the declared date.

    :param digest: as `admission.identity.identity_digester`.
    """

    def compared(facts: PersonFacts, holder: Holder) -> tuple[PersonFacts, bool]:
        born = holder.born
        if not facts.identity or born is None or not holder.name or MASK in holder.name:
            return facts, False
        if digest(holder.name, born) != facts.identity:
            return facts, True
        if year_only and facts.born is not None and facts.born.year == born.year:
            facts = msgspec.structs.replace(facts, born=born)
        return facts, False

    return compared


def people_reader(facts_of: FactsOf, alias_of: AliasOf | None) -> PeopleReader:
    """Return the look-up of the people behind a credential's identifiers.

    It raises what the finders raise, and `AliasError` for an alias that leads to nobody: that is
    no answer, least of all that somebody is not on record.

    :param alias_of: None where the release has no aliases.
    """
    read_all = _reader_of_several(
        facts_of, alias_of or _no_alias, one_record_each=alias_of is not None
    )

    def read(keys: Keys) -> People | None:
        if len(keys) == 1:
            (key,) = keys
            facts = facts_of(key)
            if facts is not None:
                return keys, person_of(key), facts, False
            if alias_of is None:
                return None
        return read_all(keys)

    return read


def _no_alias(key: PersonKey) -> None:  # noqa: ARG001 - a finder
    return None


def _reader_of_several(
    facts_of: FactsOf, alias_of: AliasOf, *, one_record_each: bool
) -> PeopleReader:
    """Return the look-up of several keys.

    :param one_record_each: whether two records are two people, even if they say the same.
    """

    def read(keys: Keys) -> People | None:
        found: list[PersonKey] = []
        people: list[PersonKey] = []
        said: list[PersonFacts] = []
        records: dict[PersonKey, PersonFacts] = {}
        for key in keys:
            person = person_of(key)
            facts = records.get(person) or facts_of(key)
            if facts is not None:
                records[person] = facts
            else:
                alias = alias_of(key)
                if alias is None:
                    continue
                person, status = alias
                facts = records.get(person) or facts_of(person)
                if facts is None:
                    raise AliasError("an alias leads to nobody")
                records[person] = facts
                if facts.status is not status:
                    facts = msgspec.structs.replace(facts, status=status)
            found.append(key)
            people.append(person)
            if facts not in said:
                said.append(facts)
        strangers = one_record_each and len(set(people)) > 1
        if len(said) > 1:
            facts, clash = combined(said)
            return found, people[0], facts, clash or strangers
        return (found, people[0], said[0], strangers) if said else None

    return read
