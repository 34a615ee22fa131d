"""Commands explain themselves, and errors are one line with what to do next."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.rulebook_format import MAX_RULEBOOK_BYTES
from appliance.cli.main import COMMANDS, main
from appliance.rotating_secret import create_schemes
from tests.cache.replica.trust.authority import an_authority
from tests.scanner.camera.kernel import FakeKernel
from tests.worlds import ROOT

TEXT = (ROOT / "configs" / "supermarket.toml").read_text()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize("name", [*COMMANDS, "hub"])
def test_every_command_has_help(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


def test_the_list_of_commands_says_what_each_does() -> None:
    result = call("--help")
    for name in (*COMMANDS, "hub"):
        assert name in result.output


def test_the_version_is_told() -> None:
    assert call("--version").output.startswith("chot, version ")


def test_an_unknown_command_is_refused() -> None:
    assert call("rnu").exit_code == 2


def check(tmp_path: Path, text: str) -> Result:
    path = tmp_path / "gate.toml"
    path.write_text(text.replace('"rulebooks/', f'"{ROOT}/configs/rulebooks/'))
    return call("check", "--config", str(path))


def test_check_names_everything_that_is_missing(tmp_path: Path) -> None:
    result = check(tmp_path, TEXT)
    assert result.exit_code == 1
    for where in (
        "hub.root_file",
        "hub.hash_key_file",
        "lane[0].sources[0].device",
        "lane[0].bridge.port",
    ):
        assert where in result.output
    assert result.output.count("→") >= 5


def test_check_names_an_unknown_key(tmp_path: Path) -> None:
    result = check(tmp_path, TEXT.replace("directive =", "directiv ="))
    assert result.exit_code == 1
    assert "site.directiv" in result.output
    assert "did you mean 'directive'" in result.output


def test_check_names_a_directive_that_the_rulebook_lacks(tmp_path: Path) -> None:
    assert "no directive 17" in check(tmp_path, TEXT.replace("= 15", "= 17")).output


def test_check_names_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "in use" in check(tmp_path, TEXT.replace("8080", str(port))).output


def with_hash_key(path: Path) -> str:
    return TEXT.replace("[hub]", f'[hub]\nhash_key_file = "{path}"')


def test_check_names_a_secret_that_others_may_read(tmp_path: Path) -> None:
    key = tmp_path / "hash.key"
    key.write_text("ab" * 32)
    key.chmod(0o644)
    output = check(tmp_path, with_hash_key(key)).output
    assert "readable by others" in output
    assert f"chmod 600 {key}" in output


def test_check_names_rotating_codes_secrets_that_run_would_refuse(tmp_path: Path) -> None:
    path = tmp_path / "rotating.json"
    text = TEXT.replace("[credentials]", f'[credentials]\nrotating_file = "{path}"', 1)
    assert f"credentials.rotating_file: {path}: No such file" in check(tmp_path, text).output
    create_schemes(path, "wallet", bytes)
    assert "rotating_file" not in check(tmp_path, text).output
    path.chmod(0o644)
    assert f"chmod 600 {path}" in check(tmp_path, text).output
    path.write_text("noise")
    output = check(tmp_path, text).output
    assert "malformed" in output
    assert "chmod" not in output


def test_check_names_a_rulebook_that_is_too_large(tmp_path: Path) -> None:
    rulebook = tmp_path / "rulebook.json"
    rulebook.touch()
    os.truncate(rulebook, 1 << 40)  # sparse, and more than any memory
    result = check(tmp_path, re.sub(r'rulebook = ".*"', f'rulebook = "{rulebook}"', TEXT))
    assert f"at most {MAX_RULEBOOK_BYTES} bytes" in result.output


def test_check_names_a_key_file_that_is_none(tmp_path: Path) -> None:
    junk = tmp_path / "hash.key"
    junk.write_text("not a key")
    junk.chmod(0o600)
    assert "does not hold 64 hex digits" in check(tmp_path, with_hash_key(junk)).output


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A configuration whose every file and device is there; a terminal stands for the camera."""
    monkeypatch.setattr("appliance.camera_inspection.KernelControls", FakeKernel().open)
    root = an_authority()[1].decode()
    text = TEXT.replace("/var/lib/chot", str(tmp_path / "state")).replace("8080", "0")
    identity = tmp_path / "state" / "identity"
    identity.mkdir(mode=0o700, parents=True)
    identity.parent.chmod(0o700)
    for name, content in {"hash.key": "ab" * 32, "root.json": root}.items():
        (identity / name).write_text(content)
        (identity / name).chmod(0o600)
    terminals = [os.openpty() for _ in range(4)]
    for _, slave in terminals:
        start = min(p for p in (text.find('"/dev/v4l'), text.find('"/dev/serial')) if p >= 0)
        end = text.index('"', start + 1)
        text = f'{text[:start]}"{os.ttyname(slave)}{text[end:]}'
    yield text
    for pair in terminals:
        for descriptor in pair:
            os.close(descriptor)


def test_check_passes_what_can_run(tmp_path: Path, ready: str) -> None:
    result = check(tmp_path, ready)
    assert result.exit_code == 0, result.output
    assert "ready to run" in result.output


def test_check_names_what_is_no_device_and_what_is_used_twice(tmp_path: Path, ready: str) -> None:
    first, second, _ = [
        line.split('"')[1] for line in ready.splitlines() if line.startswith('port = "')
    ]
    result = check(tmp_path, ready.replace(second, first))
    assert "used by lane[0].sources[1].port already" in result.output
    result = check(tmp_path, ready.replace(second, "/etc/passwd"))
    assert "not a device" in result.output


def test_check_tells_a_wedge_s_input_device_from_other_devices(tmp_path: Path, ready: str) -> None:
    def with_wedge(device: Path | str) -> str:
        source = f'[[lane.sources]]\nkind = "wedge"\nname = "hand"\ndevice = "{device}"\n'
        return ready.replace("[lane.bridge]", f"{source}\n[lane.bridge]", 1)

    output = check(tmp_path, with_wedge("/dev/null")).output
    assert "sources[2].device: /dev/null: not an input device" in output
    assert "ls /dev/input/by-id" in output
    assert "no such device" in check(tmp_path, with_wedge(tmp_path / "absent")).output


def test_check_names_an_open_state_folder_and_an_open_device_key(
    tmp_path: Path, ready: str
) -> None:
    state = tmp_path / "state"
    state.chmod(0o777)
    (state / "device.key").write_bytes(b"k" * 32)
    (state / "device.key").chmod(0o644)
    output = check(tmp_path, ready).output
    assert f"chmod 700 {state}" in output
    assert f"chmod 600 {state / 'device.key'}" in output


def test_check_never_advises_to_make_a_key_that_the_hub_has(tmp_path: Path, ready: str) -> None:
    (tmp_path / "state" / "identity" / "hash.key").unlink()
    output = check(tmp_path, ready).output
    assert "chot enrol" in output
    assert "copy it from the hub" in output


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ('place = "supermarket"', 'place = "moon"', "control_station"),
        ('kind = "serial"', 'kind = "lidar"', "screen_only"),
        ('id = "supermarket-tan-dinh"', 'id = "Tân Định"', "small letters"),
    ],
)
def test_check_says_which_values_a_key_may_have(
    tmp_path: Path, ready: str, old: str, new: str, remedy: str
) -> None:
    result = check(tmp_path, ready.replace(old, new))
    assert result.exit_code == 1
    assert remedy in result.output


def test_check_survives_hostile_nesting(tmp_path: Path) -> None:
    result = check(tmp_path, "a = " + "[" * 50_000)
    assert result.exit_code == 1
    assert "not TOML" in result.output


def test_run_with_a_missing_file_says_which_and_what_to_do(tmp_path: Path) -> None:
    result = call("run", "--config", str(tmp_path / "gone.toml"))
    assert result.exit_code == 1
    assert "gone.toml" in result.output
    assert "→" in result.output
    assert "Traceback" not in result.output


def test_demo_names_a_taken_port_before_it_draws_anybody(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port, folder = str(taken.getsockname()[1]), tmp_path / "kept"
        result = CliRunner().invoke(main, ["demo", "--port", port, "--keep", str(folder)])
    assert "in use" in str(result.exception) + result.output
    assert not folder.exists()
