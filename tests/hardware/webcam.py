"""A USB webcam that does what its standard input says: one process, one camera, one port.

`plug`, `unplug`, `unplug in mid-frame`, `show NAME` (a file of its folder), `stall`, `go on`,
`deaf`. It tells on its standard output, as JSON lines, what it has done and what it was set to.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from tests.hardware.usb_ip import Cable
from tests.hardware.uvc import FPS, PAYLOAD_BYTES, Uvc

_END_OF_HEADER, _END_OF_FRAME = 0x80, 0x02  # and bit 0 alternates with the frames (2.4.3.3)


class Webcam:
    """The camera's stream, and its cable."""

    def __init__(self, port: int, serial: str, folder: Path) -> None:
        self._folder = folder
        self._uvc = Uvc(serial, lambda name, value: tell(was_set=name, value=value))
        self._cable = Cable(self._uvc, port)
        self._picture = b""
        self._sending = True
        self._cut = threading.Event()
        self._was_cut = threading.Event()
        threading.Thread(target=self._stream, daemon=True).start()

    def obey(self, command: str) -> None:
        """Do one thing, and return once it is done."""
        match command.split():
            case ["plug"]:
                self._uvc.deaf = False
                self._cable.plug()
            case ["unplug"]:
                self._cable.unplug()
            case ["unplug", "in", "mid-frame"]:
                self._was_cut.clear()
                self._cut.set()
                if not self._was_cut.wait(10):
                    raise RuntimeError("no frame was under way")
            case ["show", name]:
                self._picture = (self._folder / name).read_bytes()
            case ["stall"]:
                self._sending = False
            case ["go", "on"]:
                self._sending = True
            case ["deaf"]:
                self._uvc.deaf = True
                self._sending = False
            case _:
                raise ValueError(command)

    def _stream(self) -> None:
        frame, due_s = 0, time.monotonic()
        while True:
            due_s = max(due_s + 1 / FPS, time.monotonic())
            time.sleep(max(0.0, due_s - time.monotonic()))
            if self._sending and self._picture:
                frame ^= 1
                self._send(self._picture, frame)

    def _send(self, picture: bytes, frame: int) -> None:
        room = PAYLOAD_BYTES - 2
        parts = [picture[at : at + room] for at in range(0, len(picture), room)]
        for number, part in enumerate(parts):
            transfer = self._cable.wanted(1.0)
            if transfer is None:
                return  # nobody looks
            if self._cut.is_set() and number == len(parts) // 2:
                self._cable.unplug()
                self._cut.clear()
                self._was_cut.set()
                return
            end = _END_OF_FRAME if number == len(parts) - 1 else 0
            header = bytes([2, _END_OF_HEADER | end | frame])
            self._cable.answer(transfer, header + part[: transfer.room - 2])


def tell(**what: object) -> None:
    """Write one JSON line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve one camera: PORT SERIAL FOLDER."""
    port, serial, folder = sys.argv[1:]
    webcam = Webcam(int(port), serial, Path(folder))
    for line in sys.stdin:
        webcam.obey(line.strip())
        tell(done=line.strip(), at_ns=time.monotonic_ns())


if __name__ == "__main__":
    main()
