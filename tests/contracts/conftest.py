"""Fixtures that several contract suites share."""

from tests.contracts.books import make_book
from tests.contracts.stores import store

__all__ = ["make_book", "store"]
