"""`chot hub enrol`: tokens leave the hub on private paper alone; a person decides once."""

from __future__ import annotations

import asyncio
import io
import secrets
import stat
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from admission.enrolment import fingerprint, unpack_token
from appliance.certificates import Names
from hub import enrolment
from hub.authority import load_authority
from hub.clock import HubClock
from hub.enrolment_print import code_of
from hub.errors import HubError
from hub.folder import DataFolder
from hub.store.sqlite import open_store
from tests.hub.commands import run, succeed
from tests.hub.enrolments import KEY, csr, read_request

URL = "https://hub.example.org:8470"
ASKED = ("--site", "site-1", "--serial", "serial-1", "--url", URL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    root = tmp_path_factory.mktemp("hub") / "data"
    succeed("init", "--data", root)
    return DataFolder(root)


def test_a_token_is_shown_as_text_and_as_a_code(folder: DataFolder) -> None:
    shown = succeed("enrol", "token", "--data", folder.root, *ASKED).stdout.splitlines()
    token = unpack_token(shown[-1])
    assert (token.url, token.site, token.serial) == (URL, "site-1", "serial-1")
    assert token.pin == load_authority(folder.keys).pin
    assert token.secret not in folder.database.read_bytes()
    assert code_of(shown[-1]).mode == "alphanumeric"
    out = io.BytesIO()
    code_of(shown[-1]).save(out, kind="png", scale=4)
    (read,) = zxingcpp.read_barcodes(Image.open(out))
    assert read.text == shown[-1]


def test_what_it_is_written_to_is_private_and_the_screen_stays_empty(
    folder: DataFolder, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("token.svg", "token.pdf", "token.txt")]
    result = succeed(
        "enrol", "token", "--data", folder.root, *ASKED, "--svg", files[0], "--pdf", files[1],
        "--token-file", files[2], "--device", "gate-1",
    )  # fmt: skip
    assert result.stdout == ""
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size > 100
    text = files[2].read_text().strip()
    assert unpack_token(text).site == "site-1"
    assert text not in result.stderr


@pytest.mark.parametrize(
    "asked",
    [
        ("--site", "A B", "--serial", "s", "--url", URL),
        ("--site", "s", "--serial", "a/b", "--url", URL),
        ("--site", "s", "--serial", "s", "--url", "http://hub.example.org"),
        (*ASKED, "--device", "a b"),
    ],
)
def test_a_token_for_nothing_is_refused(folder: DataFolder, asked: tuple[str, ...]) -> None:
    refused = run("enrol", "token", "--data", folder.root, *asked)
    assert isinstance(refused.exception, HubError)
    assert refused.exception.hint


def ask(folder: DataFolder, device: str, tmp_path: Path) -> str:
    """Come with a new token as a gate would; return the request's number."""
    path = tmp_path / f"{device}.token"
    succeed("enrol", "token", "--data", folder.root, *ASKED, "--token-file", path)
    secret = unpack_token(path.read_text()).secret

    async def apply() -> str:
        async with open_store(folder.database) as store:
            asked = read_request(csr(Names(device, "site-1", "serial-1")))
            now = HubClock().now()
            answer = await enrolment.apply(store, secret, asked, now, secrets.token_bytes)
        assert not hasattr(answer, "der")
        return answer.number

    return asyncio.run(apply())


def test_a_request_is_listed_with_its_fingerprint_and_decided_once(
    folder: DataFolder, tmp_path: Path
) -> None:
    data = ("--data", folder.root)
    number = ask(folder, "gate-a", tmp_path)
    listed = succeed("enrol", "list", *data).stdout
    shown = fingerprint(KEY.public_key().public_bytes_raw())
    assert number in listed
    assert shown in listed
    assert shown in succeed("enrol", "approve", *data, number).stderr
    assert number not in succeed("enrol", "list", *data).stdout
    assert "approved" in succeed("enrol", "list", *data, "--all").stdout
    assert isinstance(run("enrol", "deny", *data, number).exception, HubError)
    assert "gate-a\tsite-1\tserial-1\tactive" in succeed("device", "list", *data).stdout


def test_a_request_is_turned_down(folder: DataFolder, tmp_path: Path) -> None:
    number = ask(folder, "gate-b", tmp_path)
    succeed("enrol", "deny", "--data", folder.root, number)
    assert "denied" in succeed("enrol", "list", "--data", folder.root, "--all").stdout


def test_a_certificate_of_another_authority_can_be_pinned(
    folder: DataFolder, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    refused = run("enrol", "token", "--data", folder.root, *ASKED, "--pin", folder.root_file)
    assert isinstance(refused.exception, HubError)
    pin = folder.keys / "ca.crt"
    succeed("enrol", "token", "--data", folder.root, *ASKED, "--pin", pin, "--token-file", path)
    assert unpack_token(path.read_text()).pin == load_authority(folder.keys).pin
