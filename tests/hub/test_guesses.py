"""Who guesses tokens is slowed down, however many addresses of one network he comes from."""

from __future__ import annotations

import pytest

from hub.errors import TooManyGuessesError
from hub.guesses import MAX_ADDRESSES, MAX_FAILURES, WINDOW_NS, Guesses


def test_one_network_of_ipv6_is_one_guesser() -> None:
    guesses = Guesses()
    for number in range(MAX_FAILURES):
        guesses.failed(f"2001:db8::{number:x}", 0)
    with pytest.raises(TooManyGuessesError):
        guesses.require_few("2001:db8::ffff", 1)
    guesses.require_few("2001:db8:0:1::1", 1)
    guesses.require_few("2001:db8::1", WINDOW_NS)


def test_memory_is_bounded_and_the_newest_are_remembered() -> None:
    guesses = Guesses()
    for number in range(MAX_ADDRESSES + 100):
        for _ in range(MAX_FAILURES):
            guesses.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
    guesses.require_few("10.0.0.1", 1)
    with pytest.raises(TooManyGuessesError):
        guesses.require_few("10.0.16.99", 1)
    assert len(guesses._failures) == MAX_ADDRESSES
