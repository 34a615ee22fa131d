"""The C core through ctypes, with the face of the Python Board: the tests of one run on the other.

The core counts milliseconds and wraps after 49 days; times given here are nanoseconds as everywhere
in the link, and `starts_at_ms` says where on the chip's clock the start lies.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import MessageError
from firmware_bridge.link import configuration as configurations
from firmware_bridge.link.codec import message_of
from firmware_bridge.link.configuration import BoardConfiguration, bits_of
from firmware_bridge.link.frame import Decoder, Frame
from firmware_bridge.link.messages import BoardState, ResetCause, Show
from firmware_bridge.link.outputs import Edge
from tests.firmware_bridge.firmware.build import built

MS = 1_000_000
_LONGEST_QUIET_MS = 1_000
_ROOM = 256

u8, u16, u32 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32


class Contacts(ctypes.Structure):
    _fields_ = (("closed", u8), ("jumper", ctypes.c_bool), ("sampled", ctypes.c_bool))


class Moment(ctypes.Structure):
    _fields_ = (("energised", u8), ("pins", u8))


@cache
def core() -> ctypes.CDLL:
    """Return the library with its functions' types."""
    library = ctypes.CDLL(str(built("libchotcore.so", "library")))
    board, size = ctypes.c_void_p, ctypes.c_size_t
    contacts, moment = ctypes.POINTER(Contacts), ctypes.POINTER(Moment)
    for name, result, arguments in (
        ("chot_board_new", board, (ctypes.c_char_p, u8, u16, u8, u32)),
        ("chot_board_free", None, (board,)),
        ("chot_board_bytes", size, ()),
        ("chot_receive", None, (board, ctypes.c_char_p, size, u32)),
        ("chot_take_bytes", size, (board, ctypes.c_char_p, size)),
        ("chot_run", u32, (board, u32, u32, contacts, moment)),
        ("chot_quiet_ms", u32, (board, u32, u32, contacts)),
        ("chot_take_configuration", ctypes.c_bool, (board, ctypes.c_char_p)),
        ("chot_last_show", u8, (board,)),
        ("chot_last_answer", u8, (board,)),
        ("chot_rejected", u16, (board,)),
        ("chot_crc", u16, (ctypes.c_char_p, u8)),
        ("chot_configuration_unpack", ctypes.c_bool, (ctypes.c_char_p, ctypes.c_char_p)),
        ("chot_configuration_recover", u8, (ctypes.c_char_p,) * 3),
        ("chot_configuration_seal", None, (ctypes.c_char_p,) * 2),
        ("board_sense", None, (board, u8, ctypes.c_bool, u32)),
        ("board_advance", None, (board, u32)),
        ("board_energised", u8, (board,)),
        ("board_pins", u8, (board,)),
        ("board_driven", u8, (board,)),
        ("board_has_host", ctypes.c_bool, (board,)),
    ):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def outputs_of(bits: int) -> frozenset[Output]:
    assert bits < 1 << len(Output)
    return frozenset(output for output in Output if bits >> output & 1)


class CBoard:
    """The core behind the methods of `firmware_bridge.link.board.Board`."""

    def __init__(
        self,
        now_ns: int,
        *,
        configuration: BoardConfiguration | None = None,
        state: BoardState | None = None,
        boot_count: int = 1,
        reset_cause: ResetCause = ResetCause.POWER_ON,
        on_show: Callable[[Show], None] | None = None,
        starts_at_ms: int = 0,
    ) -> None:
        self.configuration = configuration or BoardConfiguration()
        self._core = core()
        self._on_show = on_show
        self._overhearing = Decoder()
        self._contacts = Contacts(bits_of(self.configuration.normally_closed), False, False)
        self._offset_ms = starts_at_ms - now_ns // MS
        self._at_ms = now_ns // MS
        self._edges: list[Edge] = []
        self._energised = 0
        self._board = self._core.chot_board_new(
            self.configuration.pack(),
            state or 0,
            boot_count & 0xFFFF,
            reset_cause,
            self._chip_ms(now_ns // MS),
        )
        assert self._board, "the core declines this configuration"

    def __del__(self) -> None:
        self._core.chot_board_free(self._board)

    @property
    def jumper(self) -> bool:
        return self._contacts.jumper

    @jumper.setter
    def jumper(self, fitted: bool) -> None:
        self._contacts.jumper = fitted
        if self._contacts.sampled:
            self._sense(self._at_ms * MS)

    @property
    def energised(self) -> frozenset[Output]:
        return outputs_of(self._core.board_energised(self._board))

    @property
    def pins(self) -> frozenset[Output]:
        return outputs_of(self._core.board_pins(self._board))

    @property
    def driven(self) -> frozenset[Output]:
        return outputs_of(self._core.board_driven(self._board))

    @property
    def has_host(self) -> bool:
        return bool(self._core.board_has_host(self._board))

    @property
    def rejected(self) -> int:
        return int(self._core.chot_rejected(self._board))

    @property
    def next_deadline_ns(self) -> int:
        """When something can be seen from outside next, or is worth another look."""
        quiet_ms = self._core.chot_quiet_ms(
            self._board, self._chip_ms(self._at_ms), _LONGEST_QUIET_MS, self._contacts
        )
        return (self._at_ms + int(quiet_ms)) * MS

    def receive(self, data: bytes, now_ns: int) -> None:
        self.advance(now_ns)
        for byte in data:
            self._receive(bytes((byte,)), now_ns)
        self._look(now_ns)

    def sample(self, active: frozenset[Input], now_ns: int) -> None:
        self._run_until(now_ns // MS - 1)
        self._contacts.closed = bits_of(active) ^ bits_of(self.configuration.normally_closed)
        self._contacts.sampled = True
        self._sense(now_ns)

    def sense(self, source: Input, value: int, now_ns: int) -> None:
        if not self._contacts.sampled:
            self.sample(frozenset(), now_ns)
        self._run_until(now_ns // MS - 1)
        bit = 1 << source
        closed = value ^ (source in self.configuration.normally_closed)
        self._contacts.closed = self._contacts.closed & ~bit | bit * closed
        self._sense(now_ns)

    def advance(self, now_ns: int) -> None:
        """Let time pass as on the chip: it senses and advances once a millisecond."""
        self._run_until(now_ns // MS)
        self._core.board_advance(self._board, self._chip_ms(self._at_ms))
        self._look(now_ns)

    def run(self, for_ms: int) -> tuple[int, frozenset[Output], frozenset[Output]]:
        """Let at most `for_ms` pass, up to the first change. Return ms, energised and pins."""
        moment = Moment()
        passed_ms = self._core.chot_run(
            self._board, self._chip_ms(self._at_ms), for_ms, self._contacts, moment
        )
        self._at_ms += passed_ms
        self._look(self._at_ms * MS)
        return passed_ms, outputs_of(moment.energised), outputs_of(moment.pins)

    def jump(self, now_ns: int) -> None:
        """Call `board_advance` late: once, however long it has been."""
        self._at_ms = now_ns // MS
        self._core.board_advance(self._board, self._chip_ms(self._at_ms))
        self._look(now_ns)

    def take_bytes(self) -> bytes:
        room = ctypes.create_string_buffer(_ROOM)
        count = self._core.chot_take_bytes(self._board, room, _ROOM)
        return room.raw[:count]

    def take_edges(self) -> list[Edge]:
        edges, self._edges = self._edges, []
        return edges

    def take_configuration(self) -> BoardConfiguration | None:
        packed = ctypes.create_string_buffer(configurations.CONFIGURATION_BYTES)
        if not self._core.chot_take_configuration(self._board, packed):
            return None
        return configurations.unpack(packed.raw)

    def _chip_ms(self, at_ms: int) -> int:
        return at_ms + self._offset_ms & 0xFFFF_FFFF

    def _run_until(self, at_ms: int) -> None:
        while self._at_ms < at_ms:
            self.run(at_ms - self._at_ms)

    def _sense(self, now_ns: int) -> None:
        self._at_ms = now_ns // MS
        contacts = self._contacts
        at_ms = self._chip_ms(self._at_ms)
        self._core.board_sense(self._board, contacts.closed, contacts.jumper, at_ms)
        self._look(now_ns)

    def _receive(self, byte: bytes, now_ns: int) -> None:
        shows = [show for frame in self._overhearing.feed(byte) if (show := _show_of(frame))]
        before = self._core.chot_last_show(self._board)
        self._core.chot_receive(self._board, byte, 1, self._chip_ms(now_ns // MS))
        decided = self._core.chot_last_show(self._board) != before
        if shows and decided and not self._core.chot_last_answer(self._board) and self._on_show:
            self._on_show(shows[0])

    def _look(self, now_ns: int) -> None:
        energised = self._core.board_energised(self._board)
        for output in Output:
            if (energised ^ self._energised) >> output & 1:
                self._edges.append(Edge(output, bool(energised >> output & 1), now_ns))
        self._energised = energised


def _show_of(frame: Frame) -> Show | None:
    try:
        message = message_of(frame)
    except MessageError:
        return None
    return message if isinstance(message, Show) else None
