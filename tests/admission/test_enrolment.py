"""A token carries what it says from paper to gate unharmed, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.enrolment import (
    MAX_TOKEN_LENGTH,
    PREFIX,
    SECRET_BYTES,
    Token,
    basic_password,
    fingerprint,
    pack_token,
    secret_of_password,
    unpack_token,
    url_fault,
)
from admission.errors import EnrolmentError

QR_ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

hosts = st.sampled_from(["hub.example.org", "10.1.2.3", "[fd00::17]", "hub"])
ports = st.integers(1, 65_535)
urls = st.builds("https://{}:{}".format, hosts, ports) | st.just("http://127.0.0.1:8470")
tokens = st.builds(
    Token,
    secret=st.binary(min_size=16, max_size=16),
    pin=st.binary(min_size=32, max_size=32),
    url=urls,
    site=st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True),
    serial=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
)
TOKEN = Token(b"s" * 16, b"p" * 32, "https://hub.example.org:8470", "site-1", "10000000abcdef01")


@given(tokens, st.integers(1, 60))
def test_a_token_reads_back_however_it_was_broken_into_lines(token: Token, width: int) -> None:
    text = pack_token(token)
    assert set(text) <= QR_ALPHANUMERIC
    assert len(text) <= MAX_TOKEN_LENGTH
    lines = "\n ".join(text[at : at + width] for at in range(0, len(text), width))
    if len(lines) <= MAX_TOKEN_LENGTH:
        assert unpack_token(lines.lower()) == token


@given(st.data())
def test_one_wrong_letter_is_noticed(data: st.DataObject) -> None:
    text = pack_token(TOKEN)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(sorted(QR_ALPHANUMERIC - {" "})).filter(text[at].__ne__))
    with pytest.raises(EnrolmentError) as caught:
        unpack_token(text[:at] + letter + text[at + 1 :])
    assert text[20:] not in str(caught.value)


@given(st.text(max_size=200) | st.text(alphabet="ABC234567", max_size=300).map(PREFIX.__add__))
def test_what_is_no_token_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(EnrolmentError):
        unpack_token(text)


def test_a_very_long_text_is_not_looked_at() -> None:
    with pytest.raises(EnrolmentError, match="too long"):
        unpack_token(PREFIX + "A" * 1_000_000)


def test_a_token_is_never_shown_by_accident() -> None:
    assert "s" * 16 not in repr(TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example.org",
        "http://10.0.0.1:80",
        "https://",
        "https://user@hub",
        "https://hub?x=1",
        "https://hub#x",
        "https://hub:0",
        "https://hub:65536",
        "https://hub/\n",
        "ftp://hub",
        "https://" + "h" * 300,
        "",
    ],
)
def test_a_gate_is_not_enrolled_at_such_an_address(url: str) -> None:
    assert url_fault(url)
    with pytest.raises(EnrolmentError):
        pack_token(Token(TOKEN.secret, TOKEN.pin, url, TOKEN.site, TOKEN.serial))


@pytest.mark.parametrize("url", ["http://localhost:8470", "http://[::1]:1/", "https://hub/chot"])
def test_at_these_it_is(url: str) -> None:
    assert not url_fault(url)


@given(st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_a_secret_survives_as_a_password(secret: bytes) -> None:
    assert secret_of_password(basic_password(secret)) == secret


@given(st.text(max_size=60))
def test_a_guessed_password_is_a_secret_or_none(password: str) -> None:
    secret = secret_of_password(password)
    assert secret is None or len(secret) == SECRET_BYTES


def test_fingerprints_of_different_keys_differ() -> None:
    assert fingerprint(b"a" * 32) != fingerprint(b"b" * 32)
    assert [len(group) for group in fingerprint(b"a" * 32).split()] == [5, 5, 5, 5]
