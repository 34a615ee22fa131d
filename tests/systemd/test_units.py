"""What ships for systemd and udev is accepted by their own tools, and stays as closed as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.worlds import ROOT

UNITS = ROOT / "systemd"


def tool(name: str) -> str:
    """Return the path of a tool; skip where it is absent, fail where CI lacks it."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not here: apt-get install systemd"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=30, env={"LC_ALL": "C.UTF-8"}
    )


def test_the_unit_is_verified_without_a_word() -> None:
    # An unknown key is only a warning with exit code 0, so the words count, too.
    done = run(tool("systemd-analyze"), "verify", UNITS / "chot.service")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_verification_would_tell_of_a_mistake(tmp_path: Path) -> None:
    text = (UNITS / "chot.service").read_text()
    (tmp_path / "chot.service").write_text(text.replace("WatchdogSec=", "WatchDogSeconds="))
    assert run(tool("systemd-analyze"), "verify", tmp_path / "chot.service").stderr


def test_the_unit_is_closed() -> None:
    unit = UNITS / "chot.service"
    done = run(tool("systemd-analyze"), "security", "--offline=true", "--threshold=20", unit)
    score = re.search(r"exposure level for chot.service: ([\d.]+)", done.stdout)
    assert score is not None, done.stderr
    assert done.returncode == 0
    assert float(score[1]) < 2.0


def test_what_the_daemon_needs_stays_open() -> None:
    # Each of these once looked like free hardening and would have broken a part of the gate.
    settings = (UNITS / "chot.service").read_text()
    assert "\nProtectClock=yes" not in settings, "forbids adjtimex: the clock is never trusted"
    assert "\nProcSubset=pid" not in settings, "hides the boot id that journal entries hold"
    assert "\nPrivateDevices=yes" not in settings, "hides cameras and serial lines"
    assert "time-sync.target\n" not in settings.replace("Neither", ""), "an offline gate must open"
    assert re.search(r"\nRestrictAddressFamilies=.*AF_NETLINK", settings), "udev is not heard"
    assert "\nDeviceAllow=char-input rw\n" in settings, "keypads and wedges are not read"
    assert "Type=notify" in settings
    assert "WatchdogSec=" in settings
    assert "\nLimitNOFILE=65536\n" in settings, "screens must not use up the journal's files"


def test_what_people_are_known_by_stays_in_memory() -> None:
    settings = (UNITS / "chot.service").read_text()
    assert "\nLimitCORE=0\n" in settings, "a core dump holds who is inside, and every key"
    assert "\nMemorySwapMax=0\n" in settings, "swap would keep it over a power cut"
    assert "\nRuntimeDirectory=chot\n" in settings
    assert "\nRuntimeDirectoryMode=0700\n" in settings
    assert "\nRuntimeDirectoryPreserve=yes\n" in settings, "a restart would forget who is inside"


def test_user_and_groups_can_be_made(tmp_path: Path) -> None:
    sysusers = tool("systemd-sysusers")
    done = run(sysusers, "--dry-run", f"--root={tmp_path}", UNITS / "chot.sysusers")
    assert done.returncode == 0, done.stderr
    made = re.findall(r"Creating (\w+) '(\w+)'", done.stdout + done.stderr)
    groups = [("group", name) for name in ("chot", "dialout", "gpio", "input", "video")]
    assert sorted(made) == [*groups, ("user", "chot")]


def test_udev_rules_are_well_formed() -> None:
    key = r"(?:ACTION|SUBSYSTEM|KERNEL|(?:ENV|ATTR)\{\w+\}|GOTO|LABEL|GROUP|MODE)"
    pair = rf'{key}(?:==|!=|=)"[^"]*"'
    rules = (UNITS / "99-chot.rules").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert [rule for rule in rules if not re.fullmatch(rf"{pair}(?:, {pair})*", rule)] == []
    labels = set(re.findall(r'LABEL="(\w+)"', "\n".join(rules)))
    assert set(re.findall(r'GOTO="(\w+)"', "\n".join(rules))) == labels
    vendors = re.findall(r'idVendor\}=="(.+?)"', "\n".join(rules))
    assert all(re.fullmatch(r"[0-9a-f]{4}", vendor) for vendor in vendors)
    assert len(vendors) == len(set(vendors))


@pytest.mark.parametrize(
    "vendor",
    ["2341", "2a03", "1a86", "0403", "10c4", "067b"],
    ids=["Arduino", "Arduino SRL", "CH340", "FTDI", "CP210x", "Prolific"],
)
def test_no_board_is_asked_whether_it_is_a_modem(vendor: str) -> None:
    rules = (UNITS / "99-chot.rules").read_text().splitlines()
    assert f'ATTR{{idVendor}}=="{vendor}", ENV{{ID_MM_DEVICE_IGNORE}}="1"' in rules
