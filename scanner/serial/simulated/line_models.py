"""Simulated scanners that send lines and take commands: by the manuals that the profiles name."""

from __future__ import annotations

import binascii
import re

from scanner.serial.simulated.model import LineModel, Sign

_HONEYWELL = re.compile(rb"\x16([TU])\r|\x1b([0-9ab]),|\x16M\r([^.!]{0,64})([.!])")
_NEWLAND = re.compile(rb"~\x010000([@#])([^;]{0,64});\x03")
_ESCAPES = re.compile(rb"((?:\x1b\[\dq)+)\r")
_DE2120 = re.compile(rb"\^_\^([0-9A-Z]{1,32})\.")


class HoneywellModel(LineModel):
    """A Xenon or an N-series engine, by default with Host ACK: mute and blind until answered."""

    def __init__(self, *, host_trigger: bool = False, host_ack: bool = True) -> None:
        super().__init__(host_trigger=host_trigger)
        self._host_ack = host_ack
        self.suspended = False

    def time_out(self) -> bytes:
        """Ten seconds without an answer: an error tone, and on it goes."""
        if self.suspended:
            self.signs.append(Sign.ERROR)
            self.suspended = False
        return self._read()

    def _may_read(self) -> bool:
        return super()._may_read() and not self.suspended

    def _send(self, text: str) -> bytes:
        if not self._host_ack:
            return super()._send(text)
        self.suspended = True
        return text.encode() + b"\r"

    def _command(self, data: bytes) -> tuple[int, bytes]:
        found = _HONEYWELL.match(data)
        if found is None:
            return (1 if data[0] not in b"\x16\x1b" else 0), b""
        trigger, escape, menu, storage = found.groups()
        if trigger:
            return found.end(), self._trigger(on=trigger == b"T")
        if escape:
            sign = {b"7": Sign.GOOD, b"8": Sign.BAD, b"2": Sign.LAMP}.get(escape, Sign.NEUTRAL)
            self.signs.append(sign)
            self.suspended = False
            return found.end(), self._read()
        if menu.upper() == b"232BAD?":
            return found.end(), b"232BAD9\x06" + storage
        return found.end(), menu + b"\x05" + storage


class NewlandModel(LineModel):
    """An FM430, which leaves the factory without anything at the end of its texts."""

    def __init__(self, *, host_trigger: bool = False) -> None:
        super().__init__(host_trigger=host_trigger)
        self._ended = False
        self._end = b"\r"

    def _send(self, text: str) -> bytes:
        self.signs.append(Sign.OWN_BEEP)
        return text.encode() + (self._end if self._ended else b"")

    def _command(self, data: bytes) -> tuple[int, bytes]:
        found = _NEWLAND.match(data)
        if found is None:
            return (1 if not data.startswith(b"~") else 0), b""
        store, command = found.groups()
        known, said, then = True, b"", b""
        if command.startswith(b"SCNTRG"):
            then = self._trigger(on=command.endswith(b"1"))
        elif beep := re.fullmatch(rb"BEEPON(\d+)F\d+T\d+V", command):
            self.signs.append(Sign.GOOD if int(beep[1]) >= 1000 else Sign.BAD)
        elif command.startswith(b"TSUENA"):
            self._ended = command.endswith(b"1")
        elif command.startswith(b"TSUSET"):
            self._end = binascii.unhexlify(command[6:])
        elif command == b"QRYPDN":
            said = b"NLS-FM430"
        else:
            known = False
        reply = (
            b"\x02\x010000" + store + command + said + (b"\x06" if known else b"\x15") + b";\x03"
        )
        return found.end(), reply + then


class DatalogicModel(LineModel):
    """A Magellan or PowerScan: commands of one character; `F` leaves it blind until `E`."""

    def _command(self, data: bytes) -> tuple[int, bytes]:
        reply = b""
        match data[:1]:
            case b"E":
                self.enabled = True
                reply = self._read()
            case b"D":
                self.enabled = False
            case b"F":
                self.enabled = False
                self.signs.append(Sign.BAD)
            case b"B" | b"\x01":
                self.signs.append(Sign.GOOD)
            case b"T" | b"X":
                reply = self._trigger(on=data[:1] == b"T")
            case b"i":
                reply = b"\x01\x02RPowerScan|A9.1\x03\x04"
        return 1, reply


class GryphonModel(LineModel):
    """A wireless Gryphon in transmission mode 02: one message of escapes, ended with CR, a text."""

    def _command(self, data: bytes) -> tuple[int, bytes]:
        found = _ESCAPES.match(data)
        if found is None:
            return (1 if not data.startswith(b"\x1b") else 0), b""
        meanings = {b"3": Sign.GOOD, b"4": Sign.BAD, b"6": Sign.LAMP, b"7": Sign.DARK}
        for digit in re.findall(rb"\d", found[1]):
            if digit in meanings:
                self.signs.append(meanings[digit])
        return found.end(), b""


class Gm65Model(LineModel):
    """A GM65: wrong checksums are not answered, unless they are AB CD; it beeps by itself."""

    def _command(self, data: bytes) -> tuple[int, bytes]:
        if not b"\x7e\x00".startswith(data[:2]):
            return 1, b""
        if len(data) < 4 or len(data) < (size := data[3] + 8 if data[2] != 7 else 9):
            return 0, b""
        body, check = data[2 : size - 2], data[size - 2 : size]
        if check not in {binascii.crc_hqx(body, 0).to_bytes(2, "big"), b"\xab\xcd"}:
            return size, b""
        kind, address, value = body[0], body[2:4], body[4:]
        if kind == 7 and address == b"\x00\x2a":
            return size, _gm65_reply(b"\x39\x01")
        then = b""
        if kind == 8 and address == b"\x00\x02":
            then = self._trigger(on=bool(value[0] & 1))
        return size, _gm65_reply(b"\x00") + then


def _gm65_reply(value: bytes) -> bytes:
    body = bytes((0, len(value))) + value
    return b"\x02\x00" + body + binascii.crc_hqx(body, 0).to_bytes(2, "big")


class De2120Model(LineModel):
    """A DE2120, which leaves the factory sending GBK."""

    def __init__(self, *, host_trigger: bool = False) -> None:
        super().__init__(host_trigger=host_trigger)
        self._encoding = "gbk"

    def _send(self, text: str) -> bytes:
        self.signs.append(Sign.OWN_BEEP)
        return text.encode(self._encoding, "replace") + b"\r"

    def _command(self, data: bytes) -> tuple[int, bytes]:
        found = _DE2120.match(data)
        if found is None:
            return (1 if not data.startswith(b"^") else 0), b""
        match found[1]:
            case b"SCAN" | b"SLEEP":
                return found.end(), b"\x06" + self._trigger(on=found[1] == b"SCAN")
            case b"232UTF0" | b"232UTF1":
                self._encoding = "utf-8" if found[1].endswith(b"1") else "gbk"
                return found.end(), b"\x06"
            case b"DSPYFW":
                return found.end(), b"\x06"
        return found.end(), b"\x15"
