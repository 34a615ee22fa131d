"""The gpio bridge on pins of the kernel's GPIO simulator, in a virtual machine.

The kernel's real character device and gpiod stand between the pins and our code. Run by
`make hardware`.
"""

from __future__ import annotations

import pytest

from tests.hardware.scenario import Steps, told_by

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LIMIT_S = 600.0
OFF_S = 1.0
DEBOUNCE_S = 0.02
OFF = {"green": 0, "gate": 0, "red": 1}
"""The red lamp is active low."""
LIT = {"green": 1, "gate": 1, "red": 1}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """What the scenario told, by its steps, all of them run."""
    work = tmp_path_factory.mktemp("work")
    return told_by("tests.hardware.pins_scenario", work, limit_s=LIMIT_S)


def test_at_rest_every_output_is_off_by_its_polarity_and_inputs_are_read_by_theirs(
    steps: Steps,
) -> None:
    (rest,) = steps["at rest"]
    assert rest["levels"] == OFF
    assert rest["sensed"] == [4]  # the fire contact, normally closed, is open


def test_what_is_shown_is_on_the_pins_when_it_is_acknowledged(steps: Steps) -> None:
    (shown,) = steps["shown"]
    assert shown["levels"] == LIT


def test_an_edge_of_the_passage_contact_belongs_to_its_admission(steps: Steps) -> None:
    (passed,) = steps["passed"]
    assert (passed["outcome"], passed["entry"]) == ("PASSED", 7)


def test_contacts_reach_the_host_and_a_stop_drops_the_relay(steps: Steps) -> None:
    (stopped,) = steps["stopped"]
    assert stopped["levels"]["gate"] == 0
    assert stopped["events"] == ["FIRE", "STOP"]


def test_a_contact_that_hums_is_no_event(steps: Steps) -> None:
    (hum,) = steps["hum"]
    # A machine that stood still for as long as debouncing takes has shown the contact at rest.
    assert hum["events"] == [] or hum["pause_s"] >= DEBOUNCE_S
    assert hum["levels"] == LIT


def test_a_cancelled_bridge_leaves_the_pins_off(steps: Steps) -> None:
    assert steps["closed"]


def test_a_killed_board_process_leaves_the_pins_off_and_is_started_again(steps: Steps) -> None:
    (killed,) = steps["board killed"]
    assert killed["off_s"] < OFF_S
    assert "SIGKILL" in killed["why"]
    assert killed["again"] == LIT


@pytest.mark.parametrize(("number", "limit_s"), [("SIGKILL", OFF_S), ("SIGSTOP", OFF_S + 0.5)])
def test_a_daemon_that_is_killed_or_hangs_leaves_the_pins_off(
    steps: Steps, number: str, limit_s: float
) -> None:
    # A hanging one is waited for as long as the dead-man says, in a machine that is slow.
    (ended,) = [each for each in steps["daemon ended"] if each["by"] == number]
    assert ended["lit"] == LIT
    assert ended["off_s"] < limit_s


def test_what_cannot_be_had_says_why(steps: Steps) -> None:
    assert "GPIO27 by another-program" in steps["in use"][0]["why"]
    assert "GPIO26 by a-driver" in steps["in use by the kernel"][0]["why"]
    missing = steps["no such chip"][0]["why"]
    assert "no-such-chip" in missing
    assert "pinctrl-rp1" in missing
    assert "300" in steps["no such line"][0]["why"]
    assert steps["end"]
