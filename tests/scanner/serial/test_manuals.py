"""What the manuals say of single families: bytes as others' working hosts send them, and waits."""

from __future__ import annotations

import pytest

from scanner.serial.profiles import PROFILES, Capability
from scanner.serial.profiles.gm65 import BAUD_ZONE, READ, TRIGGER_ZONE, WRITE, command
from scanner.serial.simulated.device import SimulatedDevice
from scanner.serial.simulated.line_models import (
    DatalogicModel,
    De2120Model,
    Gm65Model,
    HoneywellModel,
    NewlandModel,
)
from scanner.serial.simulated.model import Sign
from scanner.serial.simulated.ssi_model import SsiModel
from tests.scanner.serial.talking import talking, until

NEWLAND_TRIGGER = "7e 01 30 30 30 30 23 53 43 4e 54 52 47 31 3b 03"
NEWLAND_ANSWER = "02 01 30 30 30 30 23 53 43 4e 54 52 47 31 06 3b 03"
ENDED = b"~\x010000#TSUENA1;\x03"


def said(profile: str, capability: Capability) -> bytes:
    return b"".join(PROFILES[profile].messages(capability))


@pytest.mark.parametrize(
    ("kind", "address", "data", "published"),
    [
        (READ, BAUD_ZONE, b"\x02", "7e 00 07 01 00 2a 02 d8 0f"),
        (WRITE, BAUD_ZONE, b"\x39\x01", "7e 00 08 02 00 2a 39 01 a7 ea"),
        (0x09, 0x0000, b"\x00", "7e 00 09 01 00 00 00 de c8"),
        (WRITE, 0x00D9, b"\x50", "7e 00 08 01 00 d9 50 81 d3"),
    ],
)
def test_gm65_checksums_are_those_of_its_manual(
    kind: int, address: int, data: bytes, published: str
) -> None:
    assert command(kind, address, data) == bytes.fromhex(published)


def test_a_gm65_answers_as_its_manual_shows() -> None:
    trigger = command(WRITE, TRIGGER_ZONE, b"\x01")
    assert trigger[:7] == bytes.fromhex("7e 00 08 01 00 02 01")
    answer = bytes.fromhex("02 00 00 01 00 33 31")
    assert Gm65Model().hear(trigger) == answer
    assert Gm65Model().hear(trigger[:7] + b"\xab\xcd") == answer
    assert Gm65Model().hear(trigger[:7] + b"\x00\x00") == b""
    baud = bytes.fromhex("02 00 00 02 39 01 c1 4c")
    assert Gm65Model().hear(command(READ, BAUD_ZONE, b"\x02")) == baud


def test_newland_s_trigger_is_the_published_one() -> None:
    assert said("newland", Capability.TRIGGER_ON) == bytes.fromhex(NEWLAND_TRIGGER)
    assert NewlandModel().hear(bytes.fromhex(NEWLAND_TRIGGER)) == bytes.fromhex(NEWLAND_ANSWER)


def test_a_newland_that_lacks_a_command_says_so() -> None:
    assert b"\x15;\x03" in NewlandModel().hear(b"~\x010000#XXXYYY1;\x03")


def test_honeywell_s_bytes_are_those_of_its_guides() -> None:
    assert said("honeywell", Capability.TRIGGER_ON) == b"\x16T\r"
    assert said("honeywell", Capability.TRIGGER_OFF) == b"\x16U\r"
    assert said("honeywell", Capability.GOOD) == b"\x1b7,"
    assert said("honeywell", Capability.BAD) == b"\x1b8,\x1b8,"


def test_a_datalogic_that_was_told_bad_still_reads() -> None:
    model = DatalogicModel()
    model.hear(said("datalogic", Capability.BAD))
    assert (model.signs, model.enabled) == ([Sign.BAD], True)


async def test_a_honeywell_is_freed_before_it_gives_up_on_us() -> None:
    model = HoneywellModel()
    with SimulatedDevice(model) as device:
        async with talking(device.path, "honeywell", release_s=0.005) as talk:
            await until(lambda: talk.source.up)
            await device.present("nobody judges this")
            await until(lambda: bool(talk.readings))
            assert model.suspended
            talk.clock.advance(1)
            await until(lambda: not model.suspended)
            await device.present("next")
            await until(lambda: len(talk.readings) == 2)
            talk.source.acknowledge(good=True)
            await until(lambda: not model.suspended)
    assert model.signs == [Sign.NEUTRAL, Sign.GOOD]


async def test_a_verdict_in_time_is_the_only_answer() -> None:
    model = HoneywellModel()
    with SimulatedDevice(model) as device:
        async with talking(device.path, "honeywell", release_s=0.005) as talk:
            await until(lambda: talk.source.up)
            await device.present("judged")
            await until(lambda: bool(talk.readings))
            talk.source.acknowledge(good=False)
            talk.clock.advance(1)
            await until(lambda: len(model.signs) == 2)
            await device.present("next")
            await until(lambda: len(talk.readings) == 2)
    assert model.signs == [Sign.BAD, Sign.BAD]


async def test_a_honeywell_that_gave_up_on_a_slow_host_reads_on() -> None:
    model = HoneywellModel()
    with SimulatedDevice(model) as device:
        async with talking(device.path, "honeywell") as talk:
            await until(lambda: talk.source.up)
            await device.present("slow")
            await until(lambda: bool(talk.readings))
            await device.time_out()
            talk.source.acknowledge(good=True)
            await until(lambda: len(model.signs) == 2)
            await device.present("next")
            await until(lambda: talk.texts == ["slow", "next"])
    assert model.signs == [Sign.ERROR, Sign.GOOD]


async def test_a_long_text_takes_several_ssi_packets() -> None:
    text = "ễ" * 900
    with SimulatedDevice(SsiModel()) as device:
        async with talking(device.path, "zebra-ssi") as talk:
            await until(lambda: device.model.enabled and device.model.packeted)  # type: ignore[attr-defined]
            await device.present(text)
            await until(lambda: bool(talk.readings))
    assert talk.texts == [text]


async def test_an_ssi_packet_that_was_spoilt_on_the_wire_comes_again() -> None:
    model = SsiModel()
    with SimulatedDevice(model) as device:
        async with talking(device.path, "zebra-ssi") as talk:
            await until(lambda: model.packeted)
            spoilt = bytearray(model.present("42"))
            spoilt[5] ^= 0x10
            await device.send_bytes(bytes(spoilt))
            await until(lambda: talk.texts == ["42"])
            await until(lambda: not model.waiting)
            assert talk.source.statistics().damaged > 0
    assert Sign.ERROR not in model.signs


async def test_an_ssi_packet_whose_answer_was_lost_is_one_reading() -> None:
    model = SsiModel()
    with SimulatedDevice(model) as device:
        async with talking(device.path, "zebra-ssi") as talk:
            await until(lambda: model.packeted)
            first = model.present("42")
            await device.send_bytes(model.time_out())
            await until(lambda: talk.texts == ["42"])
            await device.send_bytes(first[:0] + model.time_out())
            await device.present("43")
            await until(lambda: talk.texts[-1] == "43")
    assert talk.texts == ["42", "43"]


def test_an_ssi_scanner_gives_up_on_a_host_that_never_answers() -> None:
    model = SsiModel()
    model.hear(b"".join(PROFILES["zebra-ssi"].set_up))
    assert model.present("42")
    assert model.time_out()
    assert model.time_out()
    assert model.time_out() == b""
    assert (model.signs[-1], model.waiting) == (Sign.ERROR, False)


async def test_a_de2120_keeps_names_only_once_it_is_set_up() -> None:
    for set_up in (False, True):
        with SimulatedDevice(De2120Model()) as device:
            async with talking(device.path, "de2120", set_up=set_up) as talk:
                await until(lambda: talk.source.up)
                await until(lambda: bool(device.heard) == set_up)  # noqa: B023
                await device.present("Nguyễn")
                await until(lambda: bool(talk.readings))
        assert (talk.texts == ["Nguyễn"]) == set_up
