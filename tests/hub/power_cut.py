"""An `os` at whose n-th call on a file the machine goes off."""

from __future__ import annotations

import os
from typing import Any


class PowerCutError(BaseException):
    """The machine is off."""


class FailingOs:
    """Stands in for the module `os`: so many calls that open, write or rename go well.

    `calls` are their names, that of the one which failed among them.
    """

    def __init__(self, number: int) -> None:
        self.calls: list[str] = []
        self._number = number

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in {"open", "write", "fsync", "replace"}:
            return real

        def call(*arguments: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) > self._number:
                raise PowerCutError
            return real(*arguments)

        return call
