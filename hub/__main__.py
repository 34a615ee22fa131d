"""`python -m hub` is `chot hub`."""

from __future__ import annotations

from hub.cli import hub

if __name__ == "__main__":
    hub(prog_name="chot hub")
