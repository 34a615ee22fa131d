"""What a virtual machine needs to run our code beside devices that this machine has not.

`python -m tests.hardware.image` builds it once into var/hardware: a small Debian with the locked
packages in it, its own kernel with the few modules that the rigs need, and an initial RAM disk.
Building takes root (for Debian's packages), a network, and some minutes; running takes neither.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.hardware import gpio_sim

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "hardware"
LOCK = ROOT / "requirements" / "runtime.lock"
SUITE, GUEST_PYTHON = "bookworm", "3.11"
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "gcc-12": "gcc-12",
    "make": "make",
    "xz": "xz-utils",
}
"""What is run here, and Debian's package of it."""
GUEST_PACKAGES = ["python3", "udev", "kmod", "libstdc++6", "zlib1g"]
PYTHON_PACKAGES = [
    *("click", "markdown-it-py", "mdurl", "msgpack", "msgspec", "numpy", "opencv-python-headless"),
    *("pygments", "pyudev", "rich", "zxing-cpp"),
    *("gpiod", "pyserial"),
]
"""Of the locked ones, those that reading codes and driving pins takes."""
SOURCE_PACKAGES = ["cobs"]
"""Those that come as source: built by the Python of this machine; what they compile is optional."""
TO_BOOT = ["virtio_pci", "virtio_blk", "ext4"]
TO_RUN = ["virtio_rng", "9p", "9pnet_virtio", "vhci-hcd", "uvcvideo", "vivid", "configfs"]
ROOT_SIZE = "2G"  # sparse

GUEST_INIT = """#!/bin/sh
# The first process of the machine: no services but udev, then what the folder /work asks for.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mount -t tmpfs none /run; mount -t tmpfs none /tmp
modprobe -a virtio_rng 9p 9pnet_virtio
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,ro repository /repository
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 work /work
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add; udevadm settle
cd /repository
PYTHONPATH=/repository:/opt/site PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \\
  sh /work/run.sh >/work/output 2>/work/errors
echo $? >/work/exit_code
sync
echo o >/proc/sysrq-trigger
sleep 60
"""

INITRD_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
for module in {modules}; do /bin/busybox insmod /modules/$module; done
until /bin/busybox mount -t ext4 /dev/vda /root; do /bin/busybox sleep 0.1; done
exec /bin/busybox switch_root /root /sbin/hardware-init
"""


class Image(NamedTuple):
    """The three files that QEMU starts from."""

    kernel: Path
    initrd: Path
    root: Path


class CannotBuildError(Exception):
    """The image cannot be built on this machine; the message says why and what to do."""


def image() -> Image:
    """Return the image, built if it is not there or is older than what it is built from.

    :raises CannotBuildError: it is not there and cannot be built here.
    """
    built = Image(FOLDER / "vmlinuz", FOLDER / "initrd.gz", FOLDER / "root.img")
    stamp = FOLDER / "stamp"
    made_of = (Path(__file__), Path(gpio_sim.__file__), LOCK)
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted and all(p.exists() for p in built)):
        _require_tools()
        _build(built)
        stamp.write_text(wanted)
    return built


def _require_tools() -> None:
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if os.uname().machine != "x86_64" or shutil.which("apt-get") is None:
        msg = "the machine is built on Debian or Ubuntu, amd64: run it there"
        raise CannotBuildError(msg)
    if os.geteuid() != 0:
        msg = "building the machine takes root: run `sudo make hardware` once, then without sudo"
        raise CannotBuildError(msg)
    if missing:
        _say(f"installing {', '.join(missing)}")
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *missing)


def _build(built: Image) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    root, kernel = FOLDER / "root", FOLDER / "kernel"
    kernel.mkdir(parents=True)
    _say(f"a small Debian {SUITE}")
    include = f"--include={','.join(GUEST_PACKAGES)}"
    _run("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", include, SUITE, str(root))
    _say("the locked packages")
    site = root / "opt" / "site"
    _install(PYTHON_PACKAGES, site, "--only-binary=:all:", "--python-version", GUEST_PYTHON)
    _install(SOURCE_PACKAGES, site)
    _say("the kernel")
    version = _unpack_kernel(kernel)
    shutil.copy(kernel / "boot" / f"vmlinuz-{version}", built.kernel)
    modules = _modules(kernel, version, [*TO_BOOT, *TO_RUN])
    for module in modules:
        place = root / module.relative_to(kernel)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, place)
    _say("its simulated pins")
    simulator = FOLDER / "gpio-sim"
    simulator.mkdir()
    extra = root / "lib" / "modules" / version / "extra"
    extra.mkdir()
    shutil.copy(gpio_sim.build(simulator, version, _run), extra)
    shutil.rmtree(simulator)
    _run("depmod", "-b", str(root), version)
    _initrd(built.initrd, _modules(kernel, version, TO_BOOT))
    _say("its disk")
    for name in ("work", "repository"):
        (root / name).mkdir()
    _executable(root / "sbin" / "hardware-init", GUEST_INIT)
    _run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(built.root), ROOT_SIZE)
    shutil.rmtree(root)
    shutil.rmtree(kernel)


def _install(packages: list[str], site: Path, *options: str) -> None:
    locked = FOLDER / "requirements.txt"
    locked.write_text("".join(_locked(name) for name in packages))
    _run(
        *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"),
        *("--require-hashes", "--no-deps", *options),
        *("--target", str(site), "--requirement", str(locked)),
    )


def _locked(name: str) -> str:
    """Return a package's lines of the lock: its version and its hashes."""
    found = re.search(rf"^{name}==.*\n(?: .*\n)*", LOCK.read_text(), re.MULTILINE)
    if found is None:
        msg = f"{name} is not in {LOCK}: correct PYTHON_PACKAGES"
        raise CannotBuildError(msg)
    return found[0]


def _unpack_kernel(folder: Path) -> str:
    """Fetch and unpack Debian's present kernel; return its version."""
    depends = _run("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-(\d\S+))", depends)
    if found is None:
        msg = "apt knows no kernel: run `apt-get update`"
        raise CannotBuildError(msg)
    _run("apt-get", "download", "-qq", found[1], cwd=folder)
    (package,) = folder.glob("*.deb")
    _run("dpkg", "-x", str(package), str(folder))
    _run("depmod", "-b", str(folder), found[2])
    return found[2]


def _modules(kernel: Path, version: str, names: Iterable[str]) -> list[Path]:
    """Return the files of these modules and of what they need, in the order of loading."""
    shown = _run("modprobe", "-d", str(kernel), "-S", version, "--show-depends", "-a", *names)
    files = [line.split()[1] for line in shown.splitlines() if line.startswith("insmod")]
    return [Path(name) for name in dict.fromkeys(files)]


def _initrd(path: Path, modules: list[Path]) -> None:
    tree = FOLDER / "initrd"
    (tree / "modules").mkdir(parents=True)
    (tree / "bin").mkdir()
    shutil.copy(shutil.which("busybox") or "", tree / "bin" / "busybox")
    for module in modules:
        shutil.copy(module, tree / "modules")
    _executable(tree / "init", INITRD_INIT.format(modules=" ".join(m.name for m in modules)))
    _run("sh", "-c", f"find . | cpio --quiet -o -H newc | gzip -1 > {path}", cwd=tree)
    shutil.rmtree(tree)


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        msg = f"{' '.join(command[:3])} … failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}"
        raise CannotBuildError(msg)
    return done.stdout


def _say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what} ...\n")


if __name__ == "__main__":
    try:
        image()
    except CannotBuildError as error:
        sys.exit(f"error: {error}")
