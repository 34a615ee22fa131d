"""Attention saves work on empty scenes and must never save it on somebody's code."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.attention import Attention, AttentionPolicy, Interest
from scanner.camera.port import Gray
from scanner.camera.regions import Region
from tests.scanner.camera.pictures import canvas, code, place

FRAME_NS = 33_000_000
POLICY = AttentionPolicy()


def noisy(picture: Gray, seed: int, sigma: float = 4.0) -> Gray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def settled(picture: Gray) -> tuple[Attention, int]:
    """An attention that has long seen nothing but `picture`, and the time of its latest look."""
    attention, now = Attention(), 0
    while not (attention.worth_looking(picture, now) and now > POLICY.hold_ns):
        now += FRAME_NS
    return attention, now


def test_the_first_frame_is_looked_at() -> None:
    assert Attention().worth_looking(canvas(), 0)
    assert Attention().worth_decoding(1000, 0)


def test_a_still_and_noisy_room_is_looked_at_on_schedule_only() -> None:
    empty = canvas(1280, 720)
    attention, now = settled(noisy(empty, 0))
    looks = sum(
        attention.worth_looking(noisy(empty, seed), now + seed * FRAME_NS) for seed in range(1, 61)
    )
    assert 3 <= looks <= 5  # 2 s at one look per 0.5 s


def test_a_card_that_appears_is_looked_at_in_its_first_frame() -> None:
    """A code of 15 % of a 720p frame's height, over noise."""
    empty = canvas(1280, 720)
    attention, now = settled(noisy(empty, 0))
    attention.worth_looking(noisy(empty, 1), now)
    shown = place(empty, code("card", 4), 600, 300)
    assert attention.worth_looking(noisy(shown, 2), now + 1)


def test_slow_movement_adds_up() -> None:
    """A hand that brightens by one level a frame is never movement from one frame to the next."""
    empty = canvas()
    attention, now = settled(empty)
    hands = [place(empty, canvas(100, 100, 128 + step), 200, 200) for step in range(1, 60)]
    assert any(attention.worth_looking(hand, now + step) for step, hand in enumerate(hands))


def test_a_room_that_changed_for_good_is_soon_idle_again() -> None:
    attention, now = settled(canvas())
    chair = place(canvas(), canvas(100, 100, 20), 0, 0)
    assert attention.worth_looking(chair, now + 1)
    now += 1 + POLICY.hold_ns
    attention.worth_looking(chair, now)
    assert not attention.worth_looking(chair, now + 1)


def test_someone_who_fills_the_frame_counts() -> None:
    attention, now = settled(canvas(640, 480, 200))
    assert attention.worth_looking(canvas(640, 480, 60), now + 1)


def test_attention_stays_after_movement_and_while_a_code_is_held_up() -> None:
    attention, now = settled(canvas())
    shown = place(canvas(), code("card"), 200, 100)
    for _ in range(90):  # 3 s without movement, the code read each time
        assert attention.worth_looking(shown, now)
        attention.saw_code(now)
        now += FRAME_NS
    assert attention.worth_looking(shown, now + POLICY.hold_ns // 2)


@settings(deadline=None)
@given(st.lists(st.integers(1_000_000, 400_000_000), min_size=1, max_size=60))
def test_no_more_than_the_forced_interval_passes_without_a_look(steps: list[int]) -> None:
    attention, now, looked = Attention(), 0, 0
    for step in steps:
        now += step
        if attention.worth_looking(canvas(64, 64), now):
            looked = now
        assert now - looked < POLICY.forced_look_ns or looked == now


def test_idle_frames_are_decompressed_on_schedule_or_when_their_size_jumps() -> None:
    attention, now = settled(canvas())
    now += POLICY.hold_ns
    assert attention.worth_decoding(100_000, now)
    assert not attention.worth_decoding(100_100, now + 1)
    assert attention.worth_decoding(103_000, now + 2)
    assert attention.worth_decoding(100_400, now + 3 + POLICY.idle_decode_ns)


def test_a_changed_resolution_is_a_new_scene() -> None:
    attention, now = settled(canvas())
    assert attention.worth_looking(canvas(1280, 720), now)


def test_a_still_scene_is_glanced_at_and_now_and_then_studied() -> None:
    """Expensive rungs and the localiser are for what moves, or lies there for seconds."""
    attention, now = settled(canvas())
    interests = []
    for _ in range(2 * POLICY.keen_look_ns // POLICY.forced_look_ns):
        now += POLICY.forced_look_ns
        interests.append(attention.worth_looking(canvas(), now))
    assert interests.count(Interest.KEEN) == 2
    assert interests.count(Interest.GLANCE) == 22


def test_whatever_moves_is_studied() -> None:
    attention, now = settled(canvas())
    shown = place(canvas(), code("card"), 200, 100)
    assert attention.worth_looking(shown, now + 1) is Interest.KEEN
    assert attention.worth_looking(shown, now + 2) is Interest.KEEN


def test_attention_knows_where_something_moved() -> None:
    attention, now = settled(canvas())
    assert attention.moving is None
    first = place(canvas(), canvas(100, 60, 20), 200, 120)
    attention.worth_looking(first, now + 1)
    moving = attention.moving
    assert moving is not None
    assert moving.holds(Region(200, 120, 300, 180))
    assert moving.pixels < 2 * 116 * 76
    attention.worth_looking(place(first, canvas(100, 60, 20), 400, 300), now + 2)
    assert attention.moving is not None
    assert attention.moving.holds(Region(200, 120, 500, 360))


def test_movement_is_forgotten_once_attention_has_fallen() -> None:
    attention, now = settled(canvas())
    first = place(canvas(), canvas(100, 60, 20), 0, 0)
    attention.worth_looking(first, now + 1)
    now += 2 + POLICY.hold_ns
    attention.worth_looking(first, now)
    attention.worth_looking(place(first, canvas(100, 60, 20), 400, 300), now + 1)
    assert attention.moving is not None
    assert not attention.moving.holds(Region(0, 0, 100, 60))


def test_movement_everywhere_says_nothing_about_a_place() -> None:
    attention, now = settled(canvas(640, 480, 200))
    attention.worth_looking(canvas(640, 480, 60), now + 1)
    assert attention.moving is None


def test_a_scene_whose_size_varies_is_not_decompressed_for_that() -> None:
    attention, now = settled(canvas())
    now += POLICY.hold_ns
    sizes = np.random.default_rng(1).normal(200_000, 400, 400).astype(int).tolist()
    decoded = [attention.worth_decoding(size, now + at) for at, size in enumerate(sizes)]
    assert sum(decoded[50:]) < 0.05 * len(sizes)
    assert attention.worth_decoding(202_500, now + len(sizes))
