"""How the journal stands, as health shows it: can it write, is it whole, how full is the disk."""

from __future__ import annotations

from functools import partial

from appliance.health import Finding, Health, Weight
from appliance.journal_counts import index_finding
from appliance.records import Records

Facts = dict[str, str | int | float | bool | None]


class JournalOutlook:
    """Answers from memory.

    :param records: the journal with all that keeps it.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def describe(self, health: Health) -> None:
        """Add the journal's checks."""
        health.add("journal", self._writing)
        health.add("journal.history", self._history, Weight.NOTE)
        index = partial(index_finding, self._records.projector)
        health.add("journal.index", index, Weight.NOTE)
        health.add("journal.writer", self._writer, Weight.VITAL)
        health.add("journal.disk", self._disk, Weight.NOTE)
        health.add("journal.keeping", self._keeping, Weight.NOTE)

    def _writing(self) -> Finding:
        statistics = self._records.journal.statistics()
        facts: Facts = {
            "entries": statistics.last_sequence,
            "pending": self._records.pending,
            "timeouts": statistics.timeouts,
            "withheld": statistics.withheld,
            "unsecured": statistics.unsecured,
            "unsecured_waiting": statistics.unsecured_waiting,
            "unsecured_lost": statistics.unsecured_lost,
            "followups_lost": statistics.followups_lost,
        }
        alarms = [status.alarm for status in self._records.upload_statuses()]
        if statistics.unsecured_waiting:
            waiting = statistics.unsecured_waiting
            alarms.append(f"the gate moved {waiting} times before its entry was durable")
        why = statistics.last_error or next(filter(None, alarms), "")
        return Finding(ok=not why, why=why, facts=facts)

    def _history(self) -> Finding:
        damage = self._records.damage
        return Finding(ok=not damage, why=f"{damage}: `chot journal verify`" if damage else "")

    def _writer(self) -> Finding:
        alive = self._records.journal.alive
        return Finding(ok=alive, why="" if alive else "the writer's thread has ended")

    def _disk(self) -> Finding:
        status = self._records.keeping.pruner.disk
        if status is None:
            return Finding(ok=True)
        return Finding(ok=status.ok, why=status.why, facts=status.facts)

    def _keeping(self) -> Finding:
        pruning = self._records.keeping.pruner.status
        anchor = self._records.keeping.anchor.status
        statistics = self._records.journal.statistics()
        facts: Facts = {
            "pruned_entries": pruning.pruned_entries,
            "released_early": pruning.released_entries,
            "waiting_for": pruning.waiting_for,
            "anchored_through": anchor.head,
            "unsealed": statistics.unsealed,
        }
        unkept = anchor.last_error and f"the anchor could not be renewed: {anchor.last_error}"
        why = pruning.last_error or unkept
        if not why and statistics.unsecured_lost:
            why = f"the gate moved {statistics.unsecured_lost} times for which there is no entry"
        return Finding(ok=not why, why=why, facts=facts)
