"""`chot camera`: which cameras are here, and what can be set on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scanner.camera.controls import Control, ControlRange

STABLE_NAMES = Path("/dev/v4l/by-id")
DEVICES = Path("/dev")


@click.group()
def camera() -> None:
    """List cameras, and what can be set on each in the configuration."""


@camera.command("list")
def list_cameras() -> None:
    """List the cameras that are plugged in, each by the name that stays the same.

    Exits with 1 if there is none.
    """
    from scanner.camera.control_device import KernelControls  # noqa: PLC0415
    from scanner.errors import CameraError  # noqa: PLC0415

    found = False
    for path in _devices():
        try:
            with KernelControls(path) as device:
                plate = device.nameplate()
        except CameraError as error:
            click.echo(f"{path}: {error}")
            continue
        if plate.captures:
            found = True
            click.echo(f"{path}: {plate.card} ({plate.driver})")
    if not found:
        click.secho("no camera found", fg="red")
        click.echo("  → plug one in; CSI cameras need their overlay in /boot/firmware/config.txt")
        raise SystemExit(1)


@camera.command()
@click.argument("device", type=click.Path(path_type=Path))
def controls(device: Path) -> None:
    """List what can be set on DEVICE, with its range and its present value.

    The keys are those of a camera's table in the configuration.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from scanner.camera.control_device import KernelControls  # noqa: PLC0415

    with KernelControls(device) as opened:
        plate, ranges = opened.nameplate(), opened.ranges()
        values = {control: opened.value(control) for control in ranges}
    table = Table("key", "values", "now", "default", title=f"{plate.card} ({plate.driver})")
    for key, control, show in _keys():
        if control in ranges:
            have = ranges[control]
            table.add_row(key, _range(have, show), show(values[control]), show(have.default))
        else:
            table.add_row(key, "not on this camera", "", "")
    Console().print(table)


def _devices() -> Iterator[Path]:
    """Yield each video device once, by its stable name where it has one."""
    seen = set()
    for path in [*sorted(STABLE_NAMES.glob("*")), *sorted(DEVICES.glob("video*"))]:
        real = path.resolve()
        if real not in seen:
            seen.add(real)
            yield path


def _keys() -> list[tuple[str, Control, Callable[[int], str]]]:
    """Return each key, its control, and how the configuration writes a value of the control."""
    from scanner.camera.controls import EXPOSURE_UNIT_MS, POWER_LINE_HZ, Control  # noqa: PLC0415

    hertz = {choice: str(key) for key, choice in POWER_LINE_HZ.items()}
    return [
        ("exposure_ms", Control.EXPOSURE_ABSOLUTE, lambda value: f"{value * EXPOSURE_UNIT_MS:g}"),
        ('exposure_ms = "auto"', Control.EXPOSURE_AUTO, lambda mode: _off_on(mode in (0, 3))),
        ("gain", Control.GAIN, str),
        ("focus", Control.FOCUS_ABSOLUTE, str),
        ('focus = "auto"', Control.FOCUS_AUTO, _off_on),
        ("zoom", Control.ZOOM_ABSOLUTE, str),
        ("power_line_hz", Control.POWER_LINE_FREQUENCY, lambda choice: hertz.get(choice, "?")),
        ("brightness", Control.BRIGHTNESS, str),
        ("contrast", Control.CONTRAST, str),
        ("sharpness", Control.SHARPNESS, str),
    ]


def _off_on(value: int) -> str:
    return "on" if value else "off"


def _range(have: ControlRange, show: Callable[[int], str]) -> str:
    if have.choices is not None:
        return ", ".join(dict.fromkeys(show(choice) for choice in sorted(have.choices)))
    ends = (show(have.minimum), show(have.maximum))
    if have.maximum - have.minimum <= 1:
        return ", ".join(ends)
    return " to ".join(ends) + (f" in steps of {have.step}" if have.step > 1 else "")
