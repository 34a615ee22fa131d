"""What bounds a journal, and what it tells of itself."""

from __future__ import annotations

import msgspec


class JournalSettings(msgspec.Struct, frozen=True):
    """Bounds of a journal. Times in seconds.

    `timeout_s` is how long an append may wait; `close_timeout_s` how long closing waits for a
    medium that hangs. A file that has reached `rotate_bytes` is followed by a new one; all files
    of the folder together never take more than `budget_bytes`.
    """

    rotate_bytes: int = 8 << 20
    budget_bytes: int = 2 << 30
    queue_entries: int = 4_096
    group_entries: int = 512
    timeout_s: float = 0.15
    close_timeout_s: float = 5.0


class JournalStatistics(msgspec.Struct):
    """What the journal did since it was opened.

    `waiting` entries are not durable yet; of `groups` of writes, which held `entries` and
    `followups`, the largest held `largest_group`; `failed_groups` were refused by the medium.
    `commit_ns` sums the medium's time over all groups.

    `timeouts` are appends that waited too long, `in_doubt` those of them that may turn up all the
    same. `withheld` entries did: they became durable after the lane had shown REFER. `unsecured`
    are appends that failed while their lane acted all the same, by the site's policy:
    `unsecured_waiting` of them are not durable yet, `unsecured_lost` never became so.
    `followups_lost` could not be kept, and of `unsealed` entries the personal data was left out.

    `used_bytes` of `budget_bytes` are taken, `free_bytes` had the file system when it was last
    asked, -1 if it was not. `damages` and `torn_bytes` are what opening found in the newest file;
    `damaged_files` and `retired_journals` what it found besides, until somebody moves them away
    (see `cache.journal.recovery`). `last_error` says why the last entry was refused or not kept in
    time; it is empty once a group was committed again.
    """

    last_sequence: int
    waiting: int = 0
    groups: int = 0
    entries: int = 0
    followups: int = 0
    largest_group: int = 0
    failed_groups: int = 0
    commit_ns: int = 0
    slowest_commit_ns: int = 0
    timeouts: int = 0
    in_doubt: int = 0
    overflows: int = 0
    withheld: int = 0
    unsecured: int = 0
    unsecured_waiting: int = 0
    unsecured_lost: int = 0
    followups_lost: int = 0
    unsealed: int = 0
    used_bytes: int = 0
    budget_bytes: int = 0
    free_bytes: int = -1
    damages: int = 0
    torn_bytes: int = 0
    damaged_files: int = 0
    retired_journals: int = 0
    last_error: str = ""
