"""`chot scan` run in a test, and what it found."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from appliance.cli.scan import scan
from appliance.cli.scan_report import Finding


def run(*arguments: object) -> Result:
    return CliRunner().invoke(scan, [str(each) for each in arguments])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


class Findings:
    def __init__(self) -> None:
        self.all: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.all.append(finding)

    def looked(self) -> None: ...

    def close(self) -> None: ...
