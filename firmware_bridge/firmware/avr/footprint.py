"""How much flash and RAM the firmware takes, its deepest stack included. Run by `make size`.

The stack's depth is computed, not measured: each function's frame as the compiler reports it
(`-fstack-usage`, return address included) along the calls that the disassembly shows. A recursion
or a call through a pointer would have no bound: both are errors.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_RETURN_ADDRESS_BYTES: Final = 2
_FUNCTION: Final = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
_INSTRUCTION: Final = re.compile(r"^\s+[0-9a-f]+:\t[0-9a-f ]+\t(?P<name>\w+)\t?(?P<rest>.*)$")
_TARGET: Final = re.compile(r"<(?P<name>[^+>]+)(?:\+0x[0-9a-f]+)?>")
_TRANSFERS: Final = frozenset({"call", "rcall", "jmp", "rjmp"})
_INDIRECT: Final = frozenset({"icall", "eicall", "ijmp", "eijmp"})
_STATIC_RAM: Final = (".data", ".bss", ".noinit")
_FLASH: Final = (".text", ".data")


class FootprintError(Exception):
    """The stack has no bound, or what the build left cannot be read."""


@dataclass
class Function:
    """What the disassembly shows of one function."""

    pushes: int = 0
    frame_pointer: bool = False
    callees: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Depth:
    """The deepest stack from a function on, and the way to it."""

    stack_bytes: int
    way: tuple[str, ...]


class Program:
    """The call graph, with the compiler's frame sizes where there are any."""

    def __init__(self, listing: Iterable[str], frames: dict[str, int]) -> None:
        self.functions = _functions(listing)
        self._frames = frames
        self._depths: dict[str, Depth] = {}

    def depth(self, name: str, above: tuple[str, ...] = ()) -> Depth:
        """Return the deepest stack from this function on.

        :raises FootprintError: on recursion, or a frame of unknown size.
        """
        if name in above:
            msg = f"recursion: {' > '.join((*above, name))}"
            raise FootprintError(msg)
        if name not in self._depths:
            below = [self.depth(callee, (*above, name)) for callee in self._callees(name)]
            deepest = max(below, key=lambda depth: depth.stack_bytes, default=Depth(0, ()))
            self._depths[name] = Depth(
                self._frame_bytes(name) + deepest.stack_bytes, (name, *deepest.way)
            )
        return self._depths[name]

    def deepest(self, prefix: str) -> Depth:
        """Return the deepest stack of the functions whose names begin so."""
        roots = [self.depth(name) for name in self.functions if name.startswith(prefix)]
        return max(roots, key=lambda depth: depth.stack_bytes, default=Depth(0, ()))

    def _callees(self, name: str) -> set[str]:
        function = self.functions.get(name)
        return set() if function is None else function.callees

    def _frame_bytes(self, name: str) -> int:
        reported = self._frames.get(name, self._frames.get(name.partition(".")[0]))
        if reported is not None:
            return reported
        function = self.functions.get(name, Function())
        if function.frame_pointer:
            msg = f"{name} has a frame of unknown size"
            raise FootprintError(msg)
        return _RETURN_ADDRESS_BYTES + function.pushes


def _functions(listing: Iterable[str]) -> dict[str, Function]:
    functions: dict[str, Function] = {}
    name = ""
    for line in listing:
        if begins := _FUNCTION.match(line):
            name = begins["name"]
            functions.setdefault(name, Function())
        elif name and (instruction := _INSTRUCTION.match(line)):
            _note(functions[name], name, instruction["name"], instruction["rest"])
    return functions


def _note(function: Function, own_name: str, instruction: str, rest: str) -> None:
    if instruction in _INDIRECT:
        msg = f"{own_name} goes through a pointer"
        raise FootprintError(msg)
    if instruction == "push":
        function.pushes += 1
    elif instruction == "in" and "0x3d" in rest:
        function.frame_pointer = True
    elif instruction in _TRANSFERS and (target := _TARGET.search(rest)):
        # A jump into another function is a call whose return is left out: counted like one.
        function.callees |= {target["name"]} - {own_name}


def read_frames(reports: Iterable[Path]) -> dict[str, int]:
    """Return the stack of each function, from the compiler's .su files; the largest of a name.

    :raises FootprintError: if a frame's size depends on data.
    """
    frames: dict[str, int] = {}
    for report in reports:
        for line in report.read_text().splitlines():
            place, size, kind = line.split("\t")
            name = place.rsplit(":", 1)[1]
            if kind != "static":
                msg = f"the frame of {name} is {kind}"
                raise FootprintError(msg)
            frames[name] = max(frames.get(name, 0), int(size))
    return frames


def read_sections(report: Path) -> dict[str, int]:
    """Return the sizes of the sections, from the output of `avr-size -A`."""
    rows = (line.split() for line in report.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}


def main() -> int:
    """Print flash and RAM. Return 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="folder with listing.txt, sections.txt, *.su")
    parser.add_argument("--flash-limit", type=int, required=True)
    parser.add_argument("--ram-limit", type=int, required=True)
    arguments = parser.parse_args()
    listing = (arguments.build / "listing.txt").read_text().splitlines()
    program = Program(listing, read_frames(arguments.build.rglob("*.su")))
    sections = read_sections(arguments.build / "sections.txt")
    flash = sum(sections.get(name, 0) for name in _FLASH)
    static = sum(sections.get(name, 0) for name in _STATIC_RAM)
    # Interrupts do not nest: the deepest of them comes on top of the deepest of the program.
    program_stack = program.depth("main")
    interrupt_stack = program.deepest("__vector_")
    ram = static + program_stack.stack_bytes + interrupt_stack.stack_bytes
    sys.stdout.write(
        f"flash_bytes {flash} of {arguments.flash_limit}\n"
        f"ram_bytes {ram} of {arguments.ram_limit}: {static} static, "
        f"{program_stack.stack_bytes} stack ({' > '.join(program_stack.way)}), "
        f"{interrupt_stack.stack_bytes} interrupt ({' > '.join(interrupt_stack.way)})\n"
    )
    return int(flash > arguments.flash_limit or ram > arguments.ram_limit)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FootprintError as error:
        sys.exit(f"the stack has no bound: {error}")
