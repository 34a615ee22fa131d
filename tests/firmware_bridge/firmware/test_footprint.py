"""Protects: the printed RAM is the worst case, and a stack without bound fails the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_bridge.firmware.avr.footprint import (
    FootprintError,
    Program,
    read_frames,
    read_sections,
)

LISTING = """
00000000 <__vectors>:
   0:\t0c 94 10 00 \tjmp\t0x20\t; 0x20 <__vector_1>

00000020 <__vector_1>:
  20:\t1f 92       \tpush\tr1
  22:\t18 95       \treti

00000030 <leaf>:
  30:\t08 95       \tret

00000040 <library>:
  40:\tcf 93       \tpush\tr28
  42:\tdf 93       \tpush\tr29
  44:\t08 95       \tret

00000050 <middle>:
  50:\t0e 94 18 00 \tcall\t0x30\t; 0x30 <leaf>
  54:\t0c 94 20 00 \tjmp\t0x40\t; 0x40 <library>

00000060 <main>:
  60:\tf7 df       \trcall\t.-18     \t; 0x50 <middle>
  62:\tfe cf       \trjmp\t.-4      \t; 0x60 <main>
"""
FRAMES = {"__vector_1": 5, "leaf": 2, "middle": 20, "main": 10}


def program(listing: str = LISTING, frames: dict[str, int] = FRAMES) -> Program:
    return Program(listing.splitlines(), frames)


def test_the_deepest_way_counts_and_library_code_by_its_pushes() -> None:
    depth = program().depth("main")
    assert depth.way == ("main", "middle", "library")
    assert depth.stack_bytes == 10 + 20 + (2 + 2)


def test_the_deepest_interrupt_is_found() -> None:
    assert program().deepest("__vector_").stack_bytes == 5


def test_a_clone_that_the_compiler_made_has_its_originals_frame() -> None:
    listing = LISTING.replace("<middle>", "<middle.constprop.0>")
    assert program(listing).depth("main").stack_bytes == 34


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<leaf>\n", "<main>\n", "recursion: main > middle > main"),
        ("call\t0x30\t; 0x30 <leaf>", "icall", "pointer"),
        ("push\tr28", "in\tr28, 0x3d\t; 61", "unknown size"),
    ],
)
def test_what_has_no_bound_is_an_error(old: str, new: str, reason: str) -> None:
    with pytest.raises(FootprintError, match=reason):
        program(LISTING.replace(old, new)).depth("main")


def test_frames_and_sections_are_read_as_the_tools_write_them(tmp_path: Path) -> None:
    frames = tmp_path / "a.su"
    frames.write_text("core/a.c:3:5:take\t12\tstatic\ncore/b.c:9:5:take\t7\tstatic\n")
    assert read_frames([frames]) == {"take": 12}
    frames.write_text("core/a.c:3:5:take\t12\tdynamic\n")
    with pytest.raises(FootprintError, match="dynamic"):
        read_frames([frames])
    sections = tmp_path / "sections.txt"
    sections.write_text(
        "a.elf  :\nsection size addr\n.data 24 8388864\n.bss 700 8388888\nTotal 724\n"
    )
    assert read_sections(sections) == {".data": 24, ".bss": 700}
