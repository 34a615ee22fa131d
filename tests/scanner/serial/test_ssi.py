"""SSI packets: as scanners really sent them, found in any stream, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.serial.ssi import (
    DECODER,
    HOST,
    MAX_DATA_BYTES,
    Opcode,
    Packet,
    PacketReader,
    checksum,
    encode,
)

# Traces of a Zebra SE-3300 with its decoder, published with the zebra-scanner-library
# (doc/flow-communication/*.txt) and a driver's table of constants: ours to them, and theirs to us.
FROM_HOST = {
    "04d00400ff28": Packet(Opcode.CMD_ACK),
    "05d1040001ff25": Packet(Opcode.CMD_NAK, b"\x01"),
    "05e7040001ff0f": Packet(Opcode.LED_ON, b"\x01"),
    "05e8040001ff0e": Packet(Opcode.LED_OFF, b"\x01"),
    "04a30400ff55": Packet(Opcode.REQUEST_REVISION),
    "04e40400ff14": Packet(Opcode.START_DECODE),
    "04e50400ff13": Packet(Opcode.STOP_DECODE),
    "04e90408ff07": Packet(Opcode.SCAN_ENABLE, status=8),
    "10c60408ffee019f01ec018a07f00000fa22": Packet(
        Opcode.PARAM_SEND, bytes.fromhex("ffee019f01ec018a07f00000"), 8
    ),
}
FROM_SCANNER = {
    "04d00000ff2c": Packet(Opcode.CMD_ACK),
    "07f30000035553fe5b": Packet(Opcode.DECODE_DATA, b"\x03US"),
}

packets = st.builds(
    Packet,
    st.sampled_from([int(opcode) for opcode in Opcode]),
    st.binary(max_size=MAX_DATA_BYTES),
    st.sampled_from([0, 1, 2, 3, 8]),
)


@pytest.mark.parametrize("sent", FROM_HOST)
def test_our_packets_are_what_working_hosts_send(sent: str) -> None:
    assert encode(FROM_HOST[sent]).hex() == sent
    assert PacketReader(HOST).feed(bytes.fromhex(sent)) == [FROM_HOST[sent]]


@pytest.mark.parametrize("sent", FROM_SCANNER)
def test_a_scanner_s_packets_are_read(sent: str) -> None:
    assert PacketReader().feed(bytes.fromhex(sent)) == [FROM_SCANNER[sent]]
    assert encode(FROM_SCANNER[sent], DECODER).hex() == sent


@given(packets)
def test_the_checksum_makes_the_sum_nothing(packet: Packet) -> None:
    data = encode(packet)
    assert sum(data[:-2]) + checksum(data[:-2]) & 0xFFFF == 0
    assert data[0] == len(data) - 2


@settings(deadline=None)
@given(st.lists(packets, max_size=6), st.data())
def test_packets_come_through_however_they_are_cut(sent: list[Packet], data: st.DataObject) -> None:
    stream = b"".join(encode(packet, DECODER) for packet in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = PacketReader()
    got = [
        packet
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for packet in reader.feed(stream[start:end])
    ]
    assert got == sent
    assert (reader.damaged, reader.skipped, reader.pending) == (0, 0, False)


@settings(deadline=None)
@given(st.binary(max_size=300), packets)
def test_a_packet_after_garbage_is_found_once_it_is_quiet(garbage: bytes, sent: Packet) -> None:
    reader = PacketReader()
    got = reader.feed(garbage) + reader.feed(encode(sent, DECODER))
    got += reader.flush()
    assert got.count(sent) >= 1
    assert not reader.pending


@settings(deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=10))
def test_what_is_kept_is_less_than_a_packet(stream: list[bytes]) -> None:
    reader = PacketReader()
    for piece in stream:
        reader.feed(piece)
        assert len(reader._kept) < 0xFF + 2


@given(packets, st.integers(0, 400), st.integers(1, 255))
def test_a_spoilt_byte_never_gives_another_packet_of_that_place(
    sent: Packet, place: int, spoil: int
) -> None:
    data = bytearray(encode(sent, DECODER))
    data[place % len(data)] ^= spoil
    reader = PacketReader()
    found = reader.feed(bytes(data)) + reader.flush()
    assert sent not in found or found != [sent]


def test_a_packet_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode(Packet(Opcode.DECODE_DATA, bytes(MAX_DATA_BYTES + 1)))
