"""What is found wrong with a journal, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from hub.journals.finding import FindingKind

WORDS: Mapping[FindingKind, str] = {
    FindingKind.ALTERED: "altered here after it came in: restore the day's file from a backup, "
    "find out who has access to the hub's folder; the gate may still have the original (--folder)",
    FindingKind.BROKEN_ON_ARRIVAL: "did not follow when it came in, and was flagged then: altered "
    "at the gate, or behind a place that it could not read",
    FindingKind.DELETED: "noted as held, and gone from the day's file: as for altered",
    FindingKind.INSERTED: "there without having been taken in: somebody wrote into the day's file",
    FindingKind.COLUMNS: "found by something else than what the entry says: searches mislead; the "
    "entry itself is as it was",
    FindingKind.MARK: "the high-water mark is another entry's: the journal or the mark was altered",
    FindingKind.LIST: "contradicts what this hub signed and published: the journal was written "
    "anew or cut since, or the hub was restored from an older backup",
    FindingKind.DIFFERENT: "hub and folder have different entries",
    FindingKind.NOT_IN_FOLDER: "removed from the folder, or damaged there: the gate does not "
    "say that it pruned it",
    FindingKind.NOT_AT_HUB: "removed at the hub, which notes it as held; the folder has it",
    FindingKind.INSERTED_IN_FOLDER: "slipped into the folder's files",
}
