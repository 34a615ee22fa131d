"""Which dataset of the release a register becomes, and how its entries are packed."""

from __future__ import annotations

from typing import Any

from cache.replica.head import MAX_DATASETS
from cache.replica.layout import (
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    ROSTER_1,
    WATCH_1,
    Layout,
)
from hub.store.registers import CREDENTIALS, OFFICERS, PERMITS, WATCH, entry_type

MAX_ROSTERS = MAX_DATASETS - 8
"""Sites with an approved list: a head names that many, and leaves room for the other datasets."""

_LAYOUTS: dict[str, Layout[Any]] = {
    CREDENTIALS: CREDENTIALS_1,
    OFFICERS: OFFICERS_1,
    PERMITS: PERMITS_1,
    WATCH: WATCH_1,
}


def layout_of_register(register: str) -> Layout[Any]:
    """Return the layout of a register's rows. Registers and datasets have the same names.

    :raises StoreError: if there is no register of this name.
    """
    entry_type(register)
    return _LAYOUTS.get(register, ROSTER_1)
