"""Waking the writer protects that it sleeps for no longer than it has to, and misses no entry."""

from __future__ import annotations

import threading

from cache.journal.wake import Wake

LONG_S = 20.0


class Gathering:
    """A count behind a lock, and a thread that sleeps until it has reached what it wants."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wake = Wake(self.lock)
        self.count = 0

    def add(self) -> None:
        with self.lock:
            self.count += 1
            self.wake.reached(self.count)

    def wait(self, wanted: int, timeout_s: float = LONG_S) -> None:
        self.wake.wait(lambda: self.count, wanted, timeout_s)


def test_nobody_sleeps_for_what_is_there() -> None:
    gathering = Gathering()
    gathering.add()
    gathering.wait(1)
    assert gathering.count == 1


def test_the_sleeper_wakes_when_enough_has_gathered() -> None:
    gathering = Gathering()
    woken: list[int] = []

    def sleep() -> None:
        gathering.wait(3)
        woken.append(gathering.count)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    for _ in range(3):
        gathering.add()
    sleeper.join(LONG_S)
    assert woken == [3]


def test_time_that_is_up_ends_a_sleep_and_spoils_no_later_one() -> None:
    gathering = Gathering()
    for _ in range(200):
        gathering.wait(1 << 30, 0.0)
        with gathering.lock:
            gathering.wake.now()  # nobody sleeps: nothing is to be remembered
    gathering.add()
    gathering.wait(1)


def test_a_thousand_hand_overs_lose_none() -> None:
    gathering = Gathering()
    taken = 0

    def give() -> None:
        for _ in range(1_000):
            gathering.add()

    giver = threading.Thread(target=give)
    giver.start()
    while taken < 1_000:
        gathering.wait(1, 0.001)
        with gathering.lock:
            taken += gathering.count
            gathering.count = 0
    giver.join(LONG_S)
    assert taken == 1_000
