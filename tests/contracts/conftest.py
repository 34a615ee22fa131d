"""Fixtures that several contract suites share."""

from tests.contracts.books import make_book

__all__ = ["make_book"]
