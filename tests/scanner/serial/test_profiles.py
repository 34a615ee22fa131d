"""The contract of every scanner profile, against a device that behaves as its manual says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.serial.profiles import PROFILES, Capability
from scanner.serial.simulated.device import MODELS, SimulatedDevice
from scanner.serial.simulated.model import LineModel, Sign
from tests.scanner.serial.talking import Talk, talking, until

NAMES = sorted(PROFILES)
TEXT = "079123456789|Trần Thị Ánh|1990-01-01"


def with_command(*capabilities: Capability) -> list[str]:
    return [name for name in NAMES if all(PROFILES[name].can(each) for each in capabilities)]


def said_through(profile: str, capability: Capability) -> bytes:
    return b"".join(PROFILES[profile].messages(capability))


async def set_up(talk: Talk, device: SimulatedDevice, profile: str) -> None:
    """Wait until the source has opened its port and the device has heard all of its greeting."""
    await until(lambda: talk.source.up)
    greeting = b"".join(PROFILES[profile].set_up)
    await until(lambda: len(device.heard) >= len(greeting))


def a_device(
    profile: str, *, link: Path | None = None, host_trigger: bool = False
) -> SimulatedDevice:
    return SimulatedDevice(MODELS[profile](host_trigger=host_trigger), link=link)


def test_every_profile_has_its_device() -> None:
    assert set(MODELS) == set(PROFILES)


@pytest.mark.parametrize("profile", NAMES)
async def test_presented_codes_arrive_whole_and_in_order(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            for number in range(3):
                await device.present(f"{TEXT}|{number}")
                await until(lambda expected=number + 1: len(talk.readings) == expected)  # type: ignore[misc]
                talk.source.acknowledge(good=True)
    assert talk.texts == [f"{TEXT}|{number}" for number in range(3)]
    assert talk.source.statistics().unanswered == 0


@pytest.mark.parametrize("profile", NAMES)
async def test_one_byte_at_a_time_is_no_different(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            for byte in device.model.present(TEXT):
                received = talk.source.statistics().bytes_received
                await device.send_bytes(bytes([byte]))
                await until(lambda r=received: talk.source.statistics().bytes_received > r)  # type: ignore[misc]
            await until(lambda: bool(talk.readings))
    assert talk.texts == [TEXT]


@pytest.mark.parametrize("profile", with_command(Capability.TRIGGER_ON, Capability.TRIGGER_OFF))
async def test_the_trigger_makes_it_read(profile: str) -> None:
    with a_device(profile, host_trigger=True) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            await device.present(TEXT)
            assert talk.source.command(Capability.TRIGGER_ON)
            await until(lambda: talk.texts == [TEXT])
            talk.source.acknowledge(good=True)
            await device.present("held up while nobody wants it")
            assert talk.source.command(Capability.TRIGGER_OFF)
            off = said_through(profile, Capability.TRIGGER_OFF)
            await until(lambda: off in device.heard)
    assert talk.texts == [TEXT]


@pytest.mark.parametrize("profile", with_command(Capability.TRIGGER_ON))
async def test_the_trigger_is_held_for_a_scanner_that_has_none(profile: str) -> None:
    with a_device(profile, host_trigger=True) as device:
        async with talking(device.path, profile, trigger_every_s=0.005) as talk:
            await set_up(talk, device, profile)
            for number in range(3):
                await device.present(f"{TEXT}|{number}")
                await until(lambda expected=number + 1: len(talk.readings) == expected)  # type: ignore[misc]
                talk.source.acknowledge(good=True)
    assert talk.texts == [f"{TEXT}|{number}" for number in range(3)]


@pytest.mark.parametrize("profile", with_command(Capability.DISABLE))
async def test_disabled_it_is_blind_until_it_is_enabled(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            assert isinstance(device.model, LineModel)
            talk.source.command(Capability.DISABLE)
            await until(lambda: not device.model.enabled)  # type: ignore[attr-defined]
            await device.present(TEXT)
            assert not device.model.signs
            talk.source.command(Capability.ENABLE)
            await until(lambda: talk.texts == [TEXT])


@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
@pytest.mark.parametrize("profile", with_command(Capability.GOOD, Capability.BAD))
async def test_people_hear_the_verdict_and_it_reads_on(profile: str, good: bool) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            await device.present(TEXT)
            await until(lambda: bool(talk.readings))
            device.model.signs.clear()
            assert talk.source.acknowledge(good=good)
            await until(lambda: bool(device.model.signs))
            await device.present("next")
            await until(lambda: talk.texts == [TEXT, "next"])
    signs = set(device.model.signs) - {Sign.OWN_BEEP}
    assert signs == {Sign.GOOD if good else Sign.BAD}


@pytest.mark.parametrize("profile", sorted(set(NAMES) - set(with_command(Capability.GOOD))))
async def test_who_cannot_tell_people_is_told_nothing(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile, set_up=False) as talk:
            await until(lambda: talk.source.up)
            assert not talk.source.acknowledge(good=True)
            assert not talk.source.acknowledge(good=False)
    assert device.heard == b""


@pytest.mark.parametrize("profile", NAMES)
async def test_without_feedback_and_set_up_nothing_but_the_protocol_is_said(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile, feedback=False, set_up=False) as talk:
            await until(lambda: talk.source.up)
            assert not talk.source.acknowledge(good=True)
            await device.send_bytes(b"some noise\r")
            await until(lambda: talk.source.statistics().bytes_received == 11)
    assert device.heard == b""


@pytest.mark.parametrize("profile", with_command(Capability.LIGHT_ON))
async def test_its_lamp_lights(profile: str) -> None:
    with a_device(profile) as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            assert talk.source.command(Capability.LIGHT_ON)
            await until(lambda: Sign.LAMP in device.model.signs)
            if talk.source.command(Capability.LIGHT_OFF):
                await until(lambda: Sign.DARK in device.model.signs)


@pytest.mark.parametrize("profile", NAMES)
async def test_unplugged_and_back_it_is_set_up_anew(profile: str, tmp_path: Path) -> None:
    with a_device(profile, link=tmp_path / "scanner") as device:
        async with talking(device.path, profile) as talk:
            await set_up(talk, device, profile)
            await device.present("before")
            await until(lambda: talk.texts == ["before"])
            talk.source.acknowledge(good=True)
            device.unplug()
            await until(lambda: not talk.source.up)
            assert not talk.source.acknowledge(good=True)
            device.model = MODELS[profile]()
            device.heard = b""
            device.plug()
            await set_up(talk, device, profile)
            await device.present("after")
            await until(lambda: len(talk.readings) == 2)
    assert talk.texts == ["before", "after"]


@pytest.mark.parametrize("profile", [name for name in NAMES if PROFILES[name].query])
async def test_it_says_who_it_is_and_no_other_profile_takes_it_for_its_own(profile: str) -> None:
    reply = b"".join(MODELS[profile]().hear(message) for message in PROFILES[profile].query)
    assert [name for name in NAMES if PROFILES[name].recognises(reply)] == [profile]
