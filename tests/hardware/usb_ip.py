"""A USB device in user space: plugged into the kernel's virtual host controller by USB/IP.

The messages are those of Documentation/usb/usbip_protocol.rst; `vhci-hcd` takes one end of a socket
pair and sees a device on the other. Pulling the cable is closing the socket.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

CONTROLLER = Path("/sys/devices/platform/vhci_hcd.0")
DEVICE_NUMBER = 65538
HIGH_SPEED = 3
SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
STALLED, WITHDRAWN = -32, -104  # EPIPE, ECONNRESET

_REQUEST = struct.Struct(">5I 20s 8s")
_SUBMIT = struct.Struct(">IiiiI")
_SUBMITTED = struct.Struct(">5I 5i 8x")
_UNLINKED = struct.Struct(">5I i 24x")


class Setup(NamedTuple):
    """The eight bytes that begin a control transfer (USB 2.0, 9.3)."""

    kind: int
    request: int
    value: int
    index: int
    length: int


class Transfer(NamedTuple):
    """A bulk transfer that the host waits for."""

    number: int
    room: int


class Device(Protocol):
    """What answers control transfers."""

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        """Return what the device answers, `b""` to what is sent to it, or None to refuse.

        :raises TimeoutError: the device does not answer at all.
        """
        ...


class Cable:
    """Connects a device to one port of the virtual controller, again and again."""

    def __init__(self, device: Device, port: int) -> None:
        self._device = device
        self._port = port
        self._socket: socket.socket | None = None
        self._turn = threading.Condition()
        self._waiting: deque[Transfer] = deque()
        self._taken: set[int] = set()

    def plug(self) -> None:
        """Let the host see the device."""
        ours, theirs = socket.socketpair()
        with self._turn:
            self._waiting.clear()
            self._taken.clear()
            self._socket = ours
        line = f"{self._port} {theirs.fileno()} {DEVICE_NUMBER} {HIGH_SPEED}"
        (CONTROLLER / "attach").write_text(line)
        theirs.close()
        threading.Thread(target=self._receive, args=(ours,), daemon=True).start()

    def unplug(self) -> None:
        """Pull the cable, whatever is under way."""
        with self._turn:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
                self._socket.close()
                self._socket = None
            self._turn.notify_all()

    def wanted(self, timeout_s: float) -> Transfer | None:
        """Return the next bulk transfer that the host waits for; None if there is none."""
        with self._turn:
            self._turn.wait_for(lambda: bool(self._waiting) or self._socket is None, timeout_s)
            if not self._waiting or self._socket is None:
                return None
            transfer = self._waiting.popleft()
            self._taken.add(transfer.number)
            return transfer

    def answer(self, transfer: Transfer, data: bytes) -> None:
        """Complete a bulk transfer, unless it was withdrawn or the cable pulled meanwhile.

        The host takes the answer to a transfer that it knows no more for a broken connection.
        """
        with self._turn:
            if transfer.number in self._taken:
                self._taken.remove(transfer.number)
                self._submitted(transfer.number, 0, data, len(data))

    def _receive(self, connection: socket.socket) -> None:
        with suppress(EOFError, OSError):
            while True:
                header = _exactly(connection, _REQUEST.size)
                command, number, _, to_host, endpoint, rest, setup = _REQUEST.unpack(header)
                if command == SUBMIT:
                    _, length, _, _, _ = _SUBMIT.unpack(rest)
                    data = b"" if to_host else _exactly(connection, max(0, length))
                    self._submit(number, endpoint, length, setup, data)
                elif command == UNLINK:
                    self._unlink(number, *struct.unpack_from(">I", rest))

    def _submit(self, number: int, endpoint: int, length: int, setup: bytes, data: bytes) -> None:
        if endpoint:
            with self._turn:
                self._waiting.append(Transfer(number, length))
                self._turn.notify_all()
            return
        try:
            answer = self._device.control(Setup(*struct.unpack("<BBHHH", setup)), data)
        except TimeoutError:
            return  # the host gives up by itself and withdraws it
        with self._turn:
            if answer is None:
                self._submitted(number, STALLED, b"", 0)
            else:
                self._submitted(number, 0, answer, len(answer) if answer else length)

    def _unlink(self, number: int, other: int) -> None:
        with self._turn:
            before = len(self._waiting) + len(self._taken)
            self._waiting = deque(each for each in self._waiting if each.number != other)
            self._taken.discard(other)
            found = len(self._waiting) + len(self._taken) < before
            self._send(_UNLINKED.pack(UNLINKED, number, 0, 0, 0, WITHDRAWN if found else 0))

    def _submitted(self, number: int, status: int, data: bytes, length: int) -> None:
        head = _SUBMITTED.pack(SUBMITTED, number, 0, 0, 0, status, length, 0, 0, 0)
        self._send(head + data)

    def _send(self, message: bytes) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendall(message)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
