"""A wrong baud rate is told from the right one, by real UARTs' rules; who can answer is asked."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import SerialLostError
from scanner.serial.detecting import (
    ASKING_ORDER,
    HEARD_LIMIT_BYTES,
    Patience,
    ask,
    find_ports,
    first_heard,
    listen,
)
from scanner.serial.detection import BAUDS, SURE, Guess, Heard, identified, judge, plausibility
from scanner.serial.framing import LineEnd
from scanner.serial.marked import MarkedPort, Marks
from scanner.serial.port import Port
from scanner.serial.profiles import PROFILES
from scanner.serial.simulated import SimulatedDevice, SimulatedScanner
from scanner.serial.simulated.device import MODELS
from scanner.serial.simulated.uart import Garbled, MistunedPort
from tests.scanner.serial.talking import until

TEXTS = [
    "079123456789|Nguyễn Văn An|1990-01-01|0|Quận 1|<1<<",
    "57213004864",
    "https://example.org/khai-bao-y-te?id=0a1b2c",
    "]Q1DCVN1:abcdefghijklmnop",
]
QUICK = Patience(reply_s=0.02, silence_s=0.01)
CALM = Patience(reply_s=0.1, silence_s=0.02)
"""Where an answer has to come in time though the machine is busy with something else."""
FEW = (115_200, 9_600, 19_200)


def heard_at(text: str, sent_baud: int, heard_baud: int, end: bytes = b"\r") -> Heard:
    marks = Marks()
    data = marks.sound(Garbled(sent_baud, heard_baud).carry(text.encode() + end))
    return Heard(heard_baud, data, marks.errors)


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"\xff\xff", b"\xff\0\x80", b"A", b"\0", b"\xc3"])), st.data())
def test_marks_are_taken_out_however_the_stream_is_cut(
    units: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(units)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    marks = Marks()
    whole = b"".join(
        marks.sound(stream[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    )
    sound = [unit[:1] for unit in units if unit != b"\xff\0\x80"]
    assert whole == b"".join(sound)
    assert marks.errors == len(units) - len(sound)


@given(st.binary(max_size=64), st.sampled_from(BAUDS))
def test_a_uart_at_the_right_rate_hears_what_was_sent(data: bytes, baud: int) -> None:
    marks = Marks()
    assert marks.sound(Garbled(baud, baud).carry(data)) == data
    assert marks.errors == 0


@given(st.binary(min_size=1, max_size=64), st.sampled_from([0.97, 0.98, 1.02, 1.03]))
def test_a_uart_forgives_three_per_cent(data: bytes, drift: float) -> None:
    marks = Marks()
    assert marks.sound(Garbled(9_600, round(9_600 * drift)).carry(data)) == data


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sent_baud", BAUDS)
def test_of_all_rates_only_the_right_one_is_plausible(text: str, sent_baud: int) -> None:
    for end in (b"\r", b"\r\n", b"\t"):
        scans = [heard_at(text, sent_baud, baud, end) for baud in BAUDS]
        assert [scan.baud for scan in scans if judge([scan])] == [sent_baud]
        assert plausibility(scans[BAUDS.index(sent_baud)]) >= SURE


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sent_baud", BAUDS)
def test_a_text_without_an_end_is_told_once_every_rate_was_heard(text: str, sent_baud: int) -> None:
    scans = [heard_at(text, sent_baud, baud, b"") for baud in BAUDS]
    assert judge(scans) is None
    assert judge(scans, final=True) == Guess(sent_baud, line_end=LineEnd.GAP)


@pytest.mark.parametrize(
    ("end", "line_end"),
    [
        (b"\r", None),
        (b"\n", None),
        (b"\r\n", None),
        (b"\t", LineEnd.TAB),
        (b"", LineEnd.GAP),
    ],
)
def test_the_end_of_a_line_is_seen(end: bytes, line_end: LineEnd | None) -> None:
    assert judge([heard_at(TEXTS[0], 9_600, 9_600, end)], final=True) == Guess(
        9_600, line_end=line_end
    )


def test_an_envelope_is_seen() -> None:
    assert judge([Heard(9_600, b"\x02ABC\x03\r\n")]) == Guess(9_600, line_end=LineEnd.ETX)


def test_packets_tell_their_protocol() -> None:
    packet = bytes.fromhex("07f30000035553fe5b")
    assert judge([Heard(9_600, packet * 2)]) == Guess(9_600, "zebra-ssi")
    assert judge([Heard(9_600, packet[:-1] + b"\0")]) is None


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 50))
def test_nothing_that_is_heard_upsets_the_judge(data: bytes, errors: int) -> None:
    scan = Heard(9_600, data, errors)
    assert 0 <= plausibility(scan) <= 1
    judge([scan])
    identified(data, 9_600)


def test_nothing_and_next_to_nothing_are_not_plausible() -> None:
    assert judge([]) is None
    assert judge([Heard(9_600, b"A\r")]) is None


def test_every_question_is_asked_by_its_turn() -> None:
    assert sorted(ASKING_ORDER) == sorted(p.name for p in PROFILES.values() if p.query)


@pytest.mark.parametrize("profile", ASKING_ORDER)
async def test_who_can_answer_is_known_by_name_and_rate(profile: str) -> None:
    model = MODELS[profile]()
    with SimulatedDevice(model) as device:
        guess = await ask(device.path, bauds=(9_600,), patience=CALM)
        assert guess == Guess(9_600, profile, told=True)
        assert model.enabled


async def test_who_can_answer_does_so_at_its_own_rate_alone() -> None:
    with SimulatedDevice(MODELS["zebra-ssi"]()) as device:
        opener = partial(MistunedPort, device_baud=19_200)
        guess = await ask(device.path, bauds=FEW, patience=CALM, open_port=opener)
        assert guess == Guess(19_200, "zebra-ssi", told=True)


async def test_a_stranger_is_not_known_and_not_left_blind() -> None:
    with SimulatedDevice(MODELS["generic"]()) as device:
        tried: list[int] = []
        guess = await ask(device.path, bauds=FEW, patience=QUICK, progress=tried.append)
        assert guess is None
        await until(lambda: device.heard.endswith(b"E"))
    assert tried == list(FEW)


@pytest.mark.parametrize("end", [b"\r\n", b""])
async def test_scans_lead_to_the_rate_of_a_mute_scanner(end: bytes) -> None:
    with SimulatedScanner(terminator=end) as scanner:
        opener = partial(MistunedPort, device_baud=19_200)
        scans: list[Heard] = []
        opened: asyncio.Queue[int] = asyncio.Queue()
        listening = asyncio.create_task(
            listen(
                scanner.path,
                bauds=FEW,
                patience=QUICK,
                open_port=opener,
                progress=opened.put_nowait,
                heard=scans.append,
            )
        )
        for _ in FEW:
            await opened.get()
            await asyncio.sleep(0)
            await scanner.send(TEXTS[1])
        expected = Guess(19_200, line_end=None if end else LineEnd.GAP)
        assert await asyncio.wait_for(listening, 10) == expected
    assert len(scans) == 3


async def test_the_first_port_that_is_understood_ends_the_listening() -> None:
    with SimulatedScanner() as silent, SimulatedScanner() as scanned, SimulatedScanner() as lost:
        tasks = [
            (each.path, asyncio.create_task(listen(each.path, patience=QUICK)))
            for each in (silent, scanned, lost)
        ]
        await asyncio.sleep(0)
        lost.unplug()
        await scanned.send(TEXTS[0])
        found = await asyncio.wait_for(first_heard(tasks), 10)
    assert found == (scanned.path, Guess(115_200))
    assert all(task.done() for _, task in tasks)


async def test_once_every_port_is_lost_it_says_so() -> None:
    with SimulatedScanner() as one, SimulatedScanner() as two:
        tasks = [
            (each.path, asyncio.create_task(listen(each.path, patience=QUICK)))
            for each in (one, two)
        ]
        await asyncio.sleep(0)
        one.unplug()
        two.unplug()
        with pytest.raises(SerialLostError):
            await asyncio.wait_for(first_heard(tasks), 10)


async def test_a_port_that_is_lost_while_it_is_asked_says_so() -> None:
    with SimulatedScanner() as lost:
        asking = asyncio.create_task(ask(lost.path, patience=Patience(10, 10)))
        await asyncio.sleep(0)
        lost.unplug()
        with pytest.raises(SerialLostError):
            await asyncio.wait_for(asking, 10)


async def test_an_endless_sender_is_judged_by_its_beginning() -> None:
    with SimulatedScanner() as scanner:
        scans: list[Heard] = []
        listening = asyncio.create_task(
            listen(scanner.path, bauds=(9_600,), patience=Patience(10, 10), heard=scans.append)
        )
        await asyncio.sleep(0)
        pouring = asyncio.create_task(scanner.send_bytes(b"\0" * 1_000_000))
        await until(lambda: bool(scans))
        pouring.cancel()
        listening.cancel()
        await asyncio.gather(pouring, listening, return_exceptions=True)
    assert len(scans[0].data) <= HEARD_LIMIT_BYTES


async def test_marking_is_over_when_the_port_is_opened_plainly() -> None:
    with SimulatedScanner() as scanner:
        marked = MarkedPort(scanner.path, 9_600)
        await scanner.send_bytes(b"A\xffB")
        await until_read(marked, b"A\xff\xffB")
        marked.close()
        plain = Port(scanner.path, 9_600)
        await scanner.send_bytes(b"A\xffB")
        await until_read(plain, b"A\xffB")
        plain.close()


async def until_read(port: Port, expected: bytes) -> None:
    data = b""
    async with asyncio.timeout(10):
        while len(data) < len(expected):
            data += port.read()
            await asyncio.sleep(0)
    assert data == expected


def test_ports_go_by_their_stable_names(tmp_path: Path) -> None:
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    for name in ("ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0"):
        (tmp_path / name).touch()
    (by_id / "usb-Honeywell-if00").symlink_to(tmp_path / "ttyACM0")
    assert find_ports(tmp_path) == [
        str(by_id / "usb-Honeywell-if00"),
        str(tmp_path / "ttyUSB0"),
        str(tmp_path / "ttyUSB1"),
    ]


def test_a_machine_without_serial_ports_has_none(tmp_path: Path) -> None:
    assert find_ports(tmp_path) == []
