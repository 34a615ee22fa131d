"""A scenario runs in the virtual machine and tells each of its steps as a line of JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.hardware.machine import run

Steps = dict[str, list[dict[str, Any]]]
"""What was told, by the step's name."""


def told_by(scenario: str, work: Path, *, limit_s: float) -> Steps:
    """Run the module of this name to its end; return what it told."""
    outcome = run(work, ["python3", "-m", scenario], limit_s=limit_s)
    told = [json.loads(line) for line in outcome.output.splitlines()]
    for each in told:
        print(each)  # noqa: T201 - seen with `pytest -s`, or where a test fails
    assert outcome.exit_code == 0, f"{outcome.errors[-5000:]}\n{outcome.console[-3000:]}"
    steps: Steps = defaultdict(list)
    for each in told:
        steps[each["step"]].append(each)
    return steps
