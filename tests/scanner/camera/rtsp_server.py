"""A network camera on this machine: RTSP 1.0 (RFC 2326) that sends JPEG over TCP (RFC 2435)."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

import cv2

from scanner.camera.port import Gray

_FRAGMENT_BYTES = 1400
_CLOCK_HZ = 90_000
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 26\r\nc=IN IP4 127.0.0.1\r\na=control:track1\r\n"
)


class RtspServer:
    """Sends `picture` to whoever plays, `frames` times, and then falls silent or hangs up.

    :param credentials: `user:password`, if it asks for them (basic).
    """

    def __init__(
        self,
        picture: Gray,
        *,
        frames: int = 1_000_000,
        fps: float = 50.0,
        credentials: str = "",
        hang_up: bool = False,
    ) -> None:
        self._jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))[1].tobytes()
        self._size = picture.shape
        self._frames = frames
        self._pause_s = 1 / fps
        self._authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
        self._guarded = bool(credentials)
        self._hang_up = hang_up
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._connections: list[socket.socket] = []
        self.requests: list[str] = []
        self.address = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/stream"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for each in (self._listener, *self._connections):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            serve = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(serve)
            serve.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while request := self._request(lines):
                method, headers = request
                connection.sendall(self._answer(method, headers).encode())
                if method == "PLAY" and self._allowed(headers):
                    self._play(connection)
                    if self._hang_up:
                        return

    def _request(self, lines: BinaryIO) -> tuple[str, dict[str, str]] | None:
        first = lines.readline().decode().strip()
        if not first:
            return None
        self.requests.append(first)
        headers = {}
        while line := lines.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return first.split()[0], headers

    def _allowed(self, headers: dict[str, str]) -> bool:
        return not self._guarded or headers.get("authorization") == self._authorization

    def _answer(self, method: str, headers: dict[str, str]) -> str:
        lines = ["RTSP/1.0 200 OK", f"CSeq: {headers.get('cseq', '0')}"]
        body = ""
        if method != "OPTIONS" and not self._allowed(headers):
            lines[0] = "RTSP/1.0 401 Unauthorized"
            lines.append('WWW-Authenticate: Basic realm="camera"')
        elif method == "OPTIONS":
            lines.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif method == "DESCRIBE":
            body = _SDP
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            lines += ["Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
        else:
            lines.append("Session: 1")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def _play(self, connection: socket.socket) -> None:
        sequence = 0
        for number in range(self._frames):
            if self._stopping.wait(self._pause_s):
                return
            for packet in self._packets(number):
                header = struct.pack(">HII", sequence & 0xFFFF, int(number * 1800), 1)
                sequence += 1
                rtp = packet[:2] + header + packet[2:]
                connection.sendall(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)

    def _packets(self, number: int) -> list[bytes]:
        """Return one picture's packets, each without its RTP sequence, stamp and source."""
        tables = self._segments(0xDB)
        scan_at = self._jpeg.index(b"\xff\xda")
        (scan_header,) = struct.unpack_from(">H", self._jpeg, scan_at + 2)
        scan = self._jpeg[scan_at + 2 + scan_header : -2]
        packets = []
        for offset in range(0, len(scan), _FRAGMENT_BYTES):
            part = scan[offset : offset + _FRAGMENT_BYTES]
            last = offset + len(part) == len(scan)
            height, width = self._size
            # Type 1: 4:2:0; Q 255: the tables stand in the first packet.
            main = struct.pack(">IBBBB", offset, 1, 255, width // 8, height // 8)
            own = struct.pack(">BBH", 0, 0, len(tables)) + tables if offset == 0 else b""
            packets.append(bytes([0x80, 26 | (0x80 if last else 0)]) + main + own + part)
        return packets

    def _segments(self, marker: int) -> bytes:
        """Return the quantisation tables (T.81, B.2.4.1) without their numbers."""
        found, position = b"", 2
        while self._jpeg[position + 1] != 0xDA:
            (length,) = struct.unpack_from(">H", self._jpeg, position + 2)
            if self._jpeg[position + 1] == marker:
                body = self._jpeg[position + 4 : position + 2 + length]
                found += b"".join(body[at + 1 : at + 65] for at in range(0, len(body), 65))
            position += 2 + length
        return found
