"""An OSDP reader for tests: libosdp's own peripheral device at the other end of the cable."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import osdp_sys
from osdp import Channel, LibFlag

from tests.firmware_bridge.terminals.relay_boards import NullModem

KEY = bytes(range(16))
ADDRESS = 5
JOIN_S = 5.0


class _FileChannel(Channel):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def read(self, max_bytes: int) -> bytes:
        try:
            return os.read(self._fd, max_bytes)
        except OSError:
            return b""

    def write(self, buf: bytes) -> int:
        with contextlib.suppress(OSError):
            return os.write(self._fd, buf)
        return len(buf)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        os.close(self._fd)


class Reader:
    """A reader with a lamp, a buzzer and a tamper contact; `commands` is what it was told."""

    def __init__(self, path: str, key: bytes | None, *, insists: bool) -> None:
        self.commands: list[dict[str, Any]] = []
        self.accepts: Callable[[dict[str, Any]], bool] = lambda command: True
        self._channel = _FileChannel(path)
        self._device = osdp_sys.PeripheralDevice(
            {
                "name": "reader",
                "address": ADDRESS,
                "flags": LibFlag.EnforceSecure if insists else 0,
                "scbk": key,
                "channel": self._channel,
                "version": 1,
                "model": 1,
                "vendor_code": 0xCAFE,
                "serial_number": 1,
                "firmware_version": 1,
            },
            capabilities=[
                {"function_code": code, "compliance_level": 1, "num_items": 1}
                for code in (
                    osdp_sys.CAP_READER_LED_CONTROL,
                    osdp_sys.CAP_READER_AUDIBLE_OUTPUT,
                    osdp_sys.CAP_COMMUNICATION_SECURITY,
                    osdp_sys.CAP_CONTACT_STATUS_MONITORING,
                )
            ],
        )
        self._device.set_command_callback(self._take)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    @property
    def lamp(self) -> list[dict[str, Any]]:
        return [command for command in self.commands if command["command"] == osdp_sys.CMD_LED]

    @property
    def buzzer(self) -> list[dict[str, Any]]:
        return [command for command in self.commands if command["command"] == osdp_sys.CMD_BUZZER]

    def tamper(self) -> None:
        report = {"event": osdp_sys.EVENT_STATUS, "type": 2, "report": b"\x01\x00"}
        with self._lock:
            assert self._device.submit_event(report)

    def stop(self) -> None:
        """Power off."""
        if self._thread.is_alive():
            self._ending.set()
            self._thread.join(JOIN_S)
            self._channel.close()

    def _take(self, command: dict[str, Any]) -> tuple[int, None]:
        if not self.accepts(command):
            return -1, None
        self.commands.append(command)
        return 0, None

    def _live(self) -> None:
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        while not self._ending.wait(0.005):
            with self._lock:
                self._device.refresh()


@contextlib.contextmanager
def a_reader(
    key: bytes | None = None, *, insists: bool = False
) -> Iterator[tuple[Reader, NullModem]]:
    with NullModem() as cable:
        reader = Reader(cable.paths[1], key, insists=insists)
        try:
            yield reader, cable
        finally:
            reader.stop()
