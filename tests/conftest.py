"""For every test: judged by what it finds and not by the machine's speed; no skip passes in CI."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# CI judges every change by the same examples; people's runs and `make fuzz` go looking for others.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")


@pytest.fixture(autouse=True, scope="session")
def _runtime_folder() -> Generator[None]:
    """Gates of tests, and their processes, keep in memory what ends with the tests."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        os.environ.pop("RUNTIME_DIRECTORY", None)
        os.environ["XDG_RUNTIME_DIR"] = folder
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skip is a failure: there everything that a test may want is installed.

    What hostile texts leave in captured logs is escaped: one process hands reports to another.
    """
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {report.longrepr}"
    return report
