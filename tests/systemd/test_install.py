"""The recipe in docs/install.md gives a gate that runs: nothing that it names is missing."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.worlds import ROOT

PAGE = (ROOT / "docs" / "install.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]
CONFIG = tomllib.loads((ROOT / "configs" / "supermarket.toml").read_text())


def test_what_it_installs_is_in_the_repository() -> None:
    named = {name for line in COMMANDS for name in re.findall(r"/opt/chot/([\w./*-]+)", line)}
    assert "systemd/chot.service" in named
    assert [n for n in named if not n.startswith(".venv") and not list(ROOT.glob(n))] == []


def test_what_the_configuration_names_is_put_where_it_looks() -> None:
    rules = PurePosixPath("/etc/chot") / CONFIG["site"]["rulebook"]
    assert any(line.endswith("configs/rulebooks/*.json") for line in COMMANDS)
    assert any(f" -t {rules.parent} " in line for line in COMMANDS)
    assert any(f"-o chot -g chot {CONFIG['appliance']['state_dir']}" in line for line in COMMANDS)
    assert any(f" {CONFIG['appliance']['device']} " in line for line in COMMANDS)


def test_it_is_enrolled_as_the_service_before_it_is_checked() -> None:
    as_service = "sudo -u chot /opt/chot/.venv/bin/chot"
    enrol = f"{as_service} enrol --config /etc/chot/chot.toml"
    check = f"{as_service} check --config /etc/chot/chot.toml"
    assert COMMANDS.index(enrol) < COMMANDS.index(check)
    assert any(f" --site {CONFIG['site']['id']} " in line for line in COMMANDS)
    assert CONFIG["hub"].keys().isdisjoint({"token_file", "root_file", "hash_key_file"})


def test_the_check_runs_as_the_service_before_it_starts() -> None:
    unit = (ROOT / "systemd" / "chot.service").read_text()
    path = re.search(r"--config (\S+)", unit)
    assert path is not None
    check = f"sudo -u chot /opt/chot/.venv/bin/chot check --config {path[1]}"
    assert COMMANDS.index(check) < COMMANDS.index("sudo systemctl enable --now chot")
    assert "Environment=PATH=/opt/chot/.venv/bin:" in unit


@pytest.mark.parametrize("wanted", ["runtime.lock", "--no-deps"])
def test_setup_installs_from_the_lock_and_starts_nothing(wanted: str) -> None:
    done = subprocess.run(
        ["make", "--always-make", "--dry-run", "setup"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert wanted in done.stdout
    assert "dev.lock" not in done.stdout
    assert "bin/chot" not in done.stdout
