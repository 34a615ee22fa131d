"""An Arduino's bootloader behind a pseudo-terminal: as much of STK500 v1 as avrdude asks for."""

from __future__ import annotations

import os
import threading
import tty
from types import TracebackType
from typing import Self

ATMEGA328P = b"\x1e\x95\x0f"
FLASH_BYTES = 32 * 1_024
_OK, _IN_SYNC = b"\x10", b"\x14"
_ARGUMENTS = {0x30: 0, 0x41: 1, 0x42: 20, 0x45: 5, 0x50: 0, 0x51: 0, 0x56: 4, 0x75: 0}
_ANSWERS = {0x41: b"\x03", 0x56: b"\x00"}


class Bootloader:
    """Answers at `path` until the block ends; `flash` is what was written.

    :param worn: whether the first byte reads back as it never was written.
    """

    def __init__(self, signature: bytes = ATMEGA328P, *, worn: bool = False) -> None:
        self.flash = bytearray(b"\xff" * FLASH_BYTES)
        self._signature = signature
        self._worn = worn
        self._address = 0
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._slave, b"\x00")  # no command: ends the thread
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _serve(self) -> None:
        while (command := self._take(1)[0]) != 0:
            if command == 0x55:  # load address, in words
                self._address = 2 * int.from_bytes(self._take(2), "little")
                answer = b""
            elif command == 0x64:  # program page
                length = int.from_bytes(self._take(2), "big")
                data = self._take(1 + length)[1:]
                self.flash[self._address : self._address + length] = data
                answer = b""
            elif command == 0x74:  # read page
                length = int.from_bytes(self._take(2), "big")
                self._take(1)
                answer = bytes(self.flash[self._address : self._address + length])
                answer = b"\x5a" + answer[1:] if self._worn and not self._address else answer
            else:
                self._take(_ARGUMENTS[command])
                answer = self._signature if command == 0x75 else _ANSWERS.get(command, b"")
            self._take(1)  # end of packet
            os.write(self._master, _IN_SYNC + answer + _OK)

    def _take(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            data += os.read(self._master, length - len(data))
        return data
