"""`chot scan --camera … --preview`: where its page is, and where there is none."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import click
import pytest
from click.testing import CliRunner

from appliance.cli.preview_option import PreviewAddress, PreviewType
from appliance.cli.scan import scan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", PreviewAddress()),
        ("off", None),
        ("9000", PreviewAddress("127.0.0.1", 9000)),
        ("0.0.0.0:0", PreviewAddress("0.0.0.0", 0)),
        ("[::1]:8090", PreviewAddress("::1", 8090)),
        ("gate.local:80", PreviewAddress("gate.local", 80)),
    ],
)
def test_addresses(text: str, expected: PreviewAddress | None) -> None:
    assert PreviewType().convert(text, None, None) == expected


@pytest.mark.parametrize("text", ["", "on", "70000", ":80", "host:", "-1", "²"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(click.UsageError):
        PreviewType().convert(text, None, None)


def test_the_page_of_a_scan_is_named_and_ends_with_it() -> None:
    arguments = ["--camera", "demo", "--preview", "127.0.0.1:0", "--for", "0.5", "--json"]
    result = CliRunner().invoke(scan, arguments)
    assert result.exit_code == 0
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("preview: http://")]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(line.removeprefix("preview: "), timeout=5)


def test_a_page_for_all_addresses_is_named_by_this_machine() -> None:
    arguments = ["--camera", "demo", "--preview", "0.0.0.0:0", "--for", "0.3"]
    (line,) = CliRunner().invoke(scan, arguments).stderr.splitlines()
    assert line.startswith(f"preview: http://{socket.gethostname()}:")


def test_without_cameras_or_with_off_there_is_no_page() -> None:
    arguments = ["--camera", "demo", "--preview", "off", "--for", "0.3"]
    assert "preview" not in CliRunner().invoke(scan, arguments).stderr
    missing = CliRunner().invoke(scan, ["--camera", "/dev/absent"])
    assert missing.exit_code == 1
    assert "preview" not in missing.stderr
