"""Hostile courses at the link's Python machines: decoder, board, and the host's session."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from random import Random

from admission.gate import Input
from admission.signal import GATES, LAMPS, MAX_ON_MS, Output, Pulse, Signal, SignalName
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.events import Ended
from firmware_bridge.link.flights import SHOW_BOUND_NS
from firmware_bridge.link.frame import MAX_FRAME_BYTES, Decoder, Frame, decode, encode
from firmware_bridge.link.messages import BoardState, GateEvent, InputEvent, Kind
from firmware_bridge.link.session import Session
from tests.fuzz.firmware_seeds import GOLDEN
from tests.fuzz.mutations import Mutator

NS_PER_MS = 1_000_000
MOST_UNSENT = 1_024
STEPS = 60
NOWHERE = 65_535


@cache
def golden() -> tuple[Frame, ...]:
    frames = json.loads(GOLDEN.read_bytes())["frames"]
    return tuple(decode(bytes.fromhex(frame["hex"])[1:-1]) for frame in frames)


def spoilt_bytes(m: Mutator, session: int) -> bytes:
    """Return what may come along a cable: a golden frame of this session, spoilt before or after.

    Spoilt before it is sealed it gets past the CRC.
    """
    frame = m.random.choice(golden())
    payload = m.data(frame.payload, 2)[:55] if m.one_in(2) else frame.payload
    sequence = m.random.choice((0, 1, 2, 3, frame.sequence, m.random.randrange(256)))
    of = session if m.one_in(2) else m.random.choice((session, 0, 1, NOWHERE, frame.session))
    kind = m.random.randrange(16) if m.one_in(10) else frame.kind
    data = encode(Frame(kind, of, sequence, payload, 1 if m.one_in(30) else frame.version))
    if m.one_in(4):
        data = m.data(data, 2)
    return (
        m.random.randbytes(m.random.randrange(200))
        if m.one_in(20)
        else data * m.random.choice((1, 1, 1, 2))
    )


def decode_bytes(m: Mutator) -> None:
    """Hear the same frames however the bytes are cut, and hold no more than one."""
    data = b"".join(spoilt_bytes(m, 1) for _ in range(8))
    whole, pieces = Decoder(), Decoder()
    heard = []
    at = 0
    while at < len(data):
        length = m.random.choice((1, 2, 7, 64))
        heard += pieces.feed(data[at : at + length])
        at += length
        assert len(pieces._partial) < MAX_FRAME_BYTES
    assert heard == whole.feed(data)
    assert pieces.rejected == whole.rejected


def try_board(m: Mutator) -> None:
    """Hand a board bytes, contacts and time; hold it to what it promises."""
    chance, damaged = m.random, m.one_in(20)
    # What is damaged is not read: such a board is as it came from the factory, and drives nothing.
    configuration = BoardConfiguration() if damaged else _configuration(chance)
    state = BoardState.DAMAGED if damaged else BoardState.STORED
    now_ns = chance.randrange(1 << 50)
    board = Board(now_ns, configuration=configuration, state=state)
    session, heard = 0, Decoder()
    for _ in range(STEPS):
        board.jumper = m.one_in(3)
        match chance.randrange(4):
            case 0:
                board.sense(chance.choice(tuple(Input)), chance.randrange(2), now_ns)
            case 1:
                now_ns += chance.choice((1, 20, 300, 1_200, 6_000)) * NS_PER_MS
                board.advance(now_ns)
            case _:
                board.receive(spoilt_bytes(m, session), now_ns)
        session = _look_at(board, configuration, heard, damaged=damaged) or session
        if board.take_configuration():
            break


def _look_at(
    board: Board, configuration: BoardConfiguration, heard: Decoder, *, damaged: bool
) -> int:
    sent = board.take_bytes()
    assert len(sent) <= MOST_UNSENT
    rejected = heard.rejected
    frames = heard.feed(sent)
    assert heard.rejected == rejected, "what a board says is a sound frame"
    assert all(frame.kind & 0x8 for frame in frames)
    assert board.energised <= (frozenset() if damaged else configuration.outputs)
    if not board.has_host:
        assert board.energised <= (LAMPS if configuration.safe_blink else frozenset())
    greetings = [frame for frame in frames if frame.kind == Kind.HELLO_REPLY]
    return int.from_bytes(greetings[-1].payload[4:6], "little") if greetings else 0


def try_session(m: Mutator) -> None:
    """Hand the host's side bytes and time; every show ends in its time, whatever comes."""
    chance, now_ns = m.random, 1_000 * NS_PER_MS
    session = Session(chance.getrandbits)
    session.open(now_ns)
    due: dict[int, int] = {}
    number = 1
    for _ in range(STEPS):
        match chance.randrange(5):
            case 0:
                due[session.show(_signal(chance), now_ns, entry=chance.randrange(1 << 32))] = (
                    now_ns + SHOW_BOUND_NS
                )
            case 1:
                now_ns += chance.choice((1, 20, 90, 260, 1_100)) * NS_PER_MS
                session.advance(now_ns)
            case 2 if session._greeting:
                number = chance.randrange(1, NOWHERE)
                session.receive(_greeting(m, session._greeting, number), now_ns)
            case _:
                session.receive(spoilt_bytes(m, number), now_ns)
        assert len(session.take_bytes()) <= 2 * MOST_UNSENT
        session.advance(now_ns)
        for event in session.take_events():
            if isinstance(event, Ended):
                due.pop(event.ticket)
            elif isinstance(event, InputEvent | GateEvent) and chance.random() < 0.5:
                session.confirm(event)
        assert all(at_ns > now_ns for at_ns in due.values()), "a show is overdue"


TARGETS: dict[str, Callable[[Mutator], None]] = {
    "decoder": decode_bytes,
    "board": try_board,
    "session": try_session,
}


def _greeting(m: Mutator, nonce: int, session: int) -> bytes:
    reply = next(frame for frame in golden() if frame.kind == Kind.HELLO_REPLY)
    rest = m.data(reply.payload[6:], 1)[: len(reply.payload) - 6] if m.one_in(3) else b""
    rest += reply.payload[6 + len(rest) :]
    payload = nonce.to_bytes(4, "little") + session.to_bytes(2, "little") + rest
    return encode(Frame(Kind.HELLO_REPLY, 0, 0, payload))


def _signal(chance: Random) -> Signal:
    outputs = chance.sample(tuple(Output), chance.randrange(4))
    return Signal(
        SignalName.TEST,
        tuple(
            Pulse(o, chance.randint(1, MAX_ON_MS), 0, 1 if o in GATES else chance.randint(1, 2))
            for o in outputs
        ),
    )


def _configuration(chance: Random) -> BoardConfiguration:
    return BoardConfiguration(
        outputs=frozenset(output for output in Output if chance.randrange(4)),
        active_low=frozenset(output for output in Output if chance.randrange(2)),
        inputs=frozenset(source for source in Input if chance.randrange(4)),
        hold=bool(chance.randrange(2)),
        fail_safe=bool(chance.randrange(2)),
        safe_blink=bool(chance.randrange(2)),
        dead_man_ms=chance.randint(500, 1_000),
    )
