"""A hub is put back to yesterday's copy: its gates send again what it lacks, and double nothing."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.end_to_end.running import RunningGate, RunningHub, until


@pytest.mark.slow
def test_what_a_copy_of_the_hub_lacks_is_sent_again(site: tuple[RunningHub, RunningGate]) -> None:
    hub, gate = site
    codes = iter(hub.texts())

    def scan_some(count: int) -> None:
        for _ in range(count):
            before = gate.verdicts()
            gate.scan(f"{next(codes)}\r".encode())
            until(lambda before=before: gate.verdicts() > before, "a verdict")  # type: ignore[misc]

    def all_at_the_hub() -> bool:
        return gate.is_all_at(hub)

    scan_some(4)
    until(all_at_the_hub, "the first entries at the hub")
    hub.stop()
    copy = hub.folder.with_name("yesterday")
    shutil.copytree(hub.folder, copy)
    hub.start()
    scan_some(4)
    until(all_at_the_hub, "more entries at the hub", 60)
    hub.stop(signal.SIGKILL)
    shutil.rmtree(hub.folder)
    copy.rename(hub.folder)
    hub.start()
    scan_some(1)
    until(all_at_the_hub, "what the copy lacked", 60)
    counted = hub.count()
    assert counted["conflicts"] == 0
    assert "put back" in gate.health()["checks"]["hub"]["facts"]["sent_again"]
