"""The documents that came with the replica: raw bytes by name, for whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

Listener = Callable[[Mapping[str, bytes]], None]


class Documents:
    """Holds the documents in force: rulebooks, trust lists, orders (`cache.replica.names`).

    All are replaced at once, so that no reader ever sees two releases mixed.
    """

    def __init__(self) -> None:
        self._by_name: Mapping[str, bytes] = MappingProxyType({})
        self._listeners: list[Listener] = []

    @property
    def by_name(self) -> Mapping[str, bytes]:
        """The documents in force; the mapping never changes, a new one takes its place.

        Empty bytes stand for one that the release names and that is not here.
        """
        return self._by_name

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of the documents in force, now and whenever others take their place.

        It runs on the loop and returns at once: reading documents takes its time.
        """
        self._listeners.append(listener)
        listener(self._by_name)

    def replace(self, documents: Mapping[str, bytes]) -> None:
        """Put these in the place of all others, and tell the listeners if they differ.

        :raises Exception: what a listener raises; the documents are replaced even so.
        """
        if documents == self._by_name:
            return
        self._by_name = MappingProxyType(dict(documents))
        for listener in self._listeners:
            listener(self._by_name)
