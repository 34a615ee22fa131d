"""One run of the virtual machine: a script in it, its files, its output."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.hardware.image import ROOT, image

BOOT_ARGUMENTS = "console=ttyS0 quiet panic=-1"


class Outcome(NamedTuple):
    """What a run left behind. `exit_code` is None if it did not end by itself."""

    exit_code: int | None
    output: str
    errors: str
    console: str


def run(work: Path, command: list[str], *, limit_s: float, cores: int = 2) -> Outcome:
    """Boot, run `command` with the repository as its folder and `work` as /work, power off.

    Nothing that the machine writes is kept, but what it puts into `work`. Emulated without KVM it
    is 20 times slower than the host: speed means nothing in it.

    :raises tests.hardware.image.CannotBuildError: there is no image.
    """
    kernel, initrd, root = image()
    (work / "run.sh").write_text(f"exec {shlex.join(command)}\n")
    shares = [("repository", ROOT, "on"), ("work", work, "off")]
    qemu = [
        *("qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-smp", str(cores), "-m", "1024"),
        *("-accel", os.environ.get("CHOT_HARDWARE_ACCEL", "tcg,thread=multi,tb-size=512")),
        *("-nodefaults", "-no-reboot", "-display", "none", "-monitor", "none"),
        *("-kernel", str(kernel), "-initrd", str(initrd), "-append", BOOT_ARGUMENTS),
        *("-drive", f"file={root},if=virtio,format=raw,cache=unsafe,snapshot=on"),
        *("-device", "virtio-rng-pci", "-serial", "stdio"),
    ]
    for tag, folder, readonly in shares:
        share = f"local,path={folder},mount_tag={tag},security_model=none,readonly={readonly}"
        qemu += ["-virtfs", share]
    try:
        console = subprocess.run(
            qemu,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as expired:
        console = expired.stdout or b""
    written = {
        name: _text((work / name).read_bytes() if (work / name).exists() else b"")
        for name in ("exit_code", "output", "errors")
    }
    code = int(written["exit_code"]) if written["exit_code"].strip() else None
    return Outcome(code, written["output"], written["errors"], _text(console))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
