"""The kernel's GPIO simulator as a module for the machine's kernel: Debian builds it without.

Taken from Debian's source of the same kernel: the simulator itself, and the simulated interrupt
controller that it stands on, which is no module by itself. That one calls a function that modules
may not; the one that takes its place does the same from any context.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., str]
SOURCES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
MODULE = "gpio-sim-rig"
MAKEFILE = f"obj-m := {MODULE}.o\n{MODULE}-y := gpio-sim.o irq_sim.o\n"
NOT_EXPORTED = re.compile(r"handle_simple_irq\(irq_to_desc\((\w+)\)\);")
EXPORTED = r"generic_handle_irq_safe(\1);"


def build(folder: Path, version: str, run: Run) -> Path:
    """Return the module for kernel `version`, built in `folder`. `run` runs a command, or raises.

    :raises Exception: what `run` raises, or `ValueError` if the source is no longer as we know it.
    """
    headers = _headers(folder, version, run)
    module = folder / "module"
    _sources(folder, version, module, run)
    controller = module / "irq_sim.c"
    text, edits = NOT_EXPORTED.subn(EXPORTED, controller.read_text())
    if edits != 1:
        msg = f"irq_sim.c has changed: {edits} calls in place of one"
        raise ValueError(msg)
    controller.write_text(text)
    (module / "Makefile").write_text(MAKEFILE)
    run("make", "-C", str(headers), f"M={module}", "modules")
    return module / f"{MODULE}.ko"


def _headers(folder: Path, version: str, run: Run) -> Path:
    """Fetch and unpack what modules of this kernel are built with, beside the system's own."""
    depends = run("apt-cache", "depends", f"linux-headers-{version}")
    wanted = re.findall(r"Depends: (linux-(?:headers|kbuild)-\S+)", depends)
    run("apt-get", "download", "-qq", f"linux-headers-{version}", *wanted, cwd=folder)
    for package in folder.glob("linux-*.deb"):
        run("dpkg", "-x", str(package), str(folder))
    headers = folder / "usr" / "src" / f"linux-headers-{version}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src", str(headers.parent)))
    return headers


def _sources(folder: Path, version: str, module: Path, run: Run) -> None:
    series = ".".join(version.split(".")[:2])
    run("apt-get", "download", "-qq", f"linux-source-{series}", cwd=folder)
    (package,) = folder.glob("linux-source-*.deb")
    archive = f"./usr/src/linux-source-{series}.tar.xz"
    inside = " ".join(f"linux-source-{series}/{name}" for name in SOURCES)
    module.mkdir()
    run(
        "sh",
        "-c",
        f"dpkg-deb --fsys-tarfile {package} | tar -xO {archive}"
        f" | tar -xJ -C {module} --strip-components=3 {inside}",
    )
