"""Protects the way from a release's documents to their reader: all at once, and nobody's copy."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from appliance.documents import Documents

OLD, NEW = {"orders": b"old", "trust/dcc": b"keys"}, {"orders": b"new"}


def test_a_listener_is_told_of_what_is_in_force_and_of_what_follows() -> None:
    documents = Documents()
    documents.replace(OLD)
    heard: list[Mapping[str, bytes]] = []
    documents.listen(heard.append)
    documents.replace(dict(OLD))
    documents.replace(NEW)
    assert heard == [OLD, NEW]
    assert documents.by_name == NEW


def test_a_defect_of_the_listener_leaves_the_new_documents_in_force() -> None:
    documents = Documents()

    def unwelcome(known: Mapping[str, bytes]) -> None:
        if known:
            raise ValueError("no such orders")

    documents.listen(unwelcome)
    with pytest.raises(ValueError, match="orders"):
        documents.replace(OLD)
    assert documents.by_name == OLD


def test_nobody_can_change_the_documents_in_force() -> None:
    documents = Documents()
    given = dict(OLD)
    documents.replace(given)
    given["orders"] = b"others"
    assert documents.by_name == OLD
    with pytest.raises(TypeError):
        documents.by_name["orders"] = b"others"  # type: ignore[index]
