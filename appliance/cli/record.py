"""`chot record`: keeps a camera's frames for a fault report, without anybody's face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.clock import SystemClock
from appliance.printable import printable

if TYPE_CHECKING:
    from scanner.camera.port import Camera

RAW_WARNING = (
    "--raw keeps every frame as the camera saw it: people can be recognised in it.\n"
    "Tell those who are filmed, keep the folder to yourself, and delete it once the fault is found."
)
EXIT_NOTHING_RECORDED = 1


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="OUTPUT_FOLDER")
@click.option("--camera", "device", metavar="DEVICE", help="Record a camera, e.g. /dev/video0.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Record a camera as this configuration sets it...",
)
@click.option("--source", metavar="NAME", help="...by the name of its source there.")
@click.option(
    "--for",
    "seconds",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=3600),
    help="End after so many seconds; Ctrl-C ends it before.",
)
@click.option("--max-frames", default=9_000, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--max-mb", default=2_000, show_default=True, type=click.IntRange(1, 1_000_000), metavar="MB"
)
@click.option(
    "--raw", is_flag=True, help="Keep the frames as they are: faces can be recognised. Asks first."
)
@click.option("--yes", is_flag=True, help="Do not ask about --raw.")
def record(
    *,
    folder: Path,
    device: str | None,
    config: Path | None,
    source: str | None,
    seconds: float,
    max_frames: int,
    max_mb: int,
    raw: bool,
    yes: bool,
) -> None:
    """Keep what a camera sees in a new folder, for whoever looks into a fault.

    All that is not a code is blurred beyond recognition before it is written. `chot scan
    OUTPUT_FOLDER` replays the recording as the camera saw it. The folder is for your eyes only.
    """
    if (device is None) == (config is None) or (config is None) != (source is None):
        msg = "Name a camera by --camera DEVICE, or by --config FILE and --source NAME."
        raise click.UsageError(msg)
    if raw:
        click.secho(f"warning: {RAW_WARNING}", fg="yellow", err=True)
        if not yes:
            click.confirm("Record faces?", abort=True, err=True)
    from appliance.cli.record_run import Bounds, run  # noqa: PLC0415 - OpenCV takes time to load

    monotonic_ns = SystemClock().monotonic_ns
    camera = _camera(device, config, source or "", monotonic_ns)
    bounds = Bounds(seconds=seconds, max_frames=max_frames, max_bytes=max_mb * 1_000_000)
    summary = run(camera, folder, bounds, monotonic_ns, raw=raw)
    place = printable(str(folder))
    if summary.failure:
        click.secho(f"error: {printable(summary.failure)}", fg="red", err=True)
    if summary.full:
        click.echo(f"It ended before its time: {summary.full}.")
    click.echo(
        f"{summary.frames} frames, {summary.bytes / 1e6:.1f} MB in {place};"
        f" {summary.dropped} found no room in memory."
    )
    if not summary.frames:
        raise SystemExit(EXIT_NOTHING_RECORDED)
    if raw:
        click.secho("Faces can be recognised in it.", fg="yellow")
    elif summary.with_code:
        click.echo(f"Blurred but for the codes, which {summary.with_code} frames show.")
    else:
        click.echo("No code was found in any frame: all of it is blurred.")
        click.echo("  → if there was one, --raw keeps what the camera saw")
    click.echo(f"Replay it: chot scan {place}")


def _camera(
    device: str | None, config: Path | None, source: str, monotonic_ns: Callable[[], int]
) -> Camera:
    from appliance.cameras import camera_of  # noqa: PLC0415
    from appliance.cli.demo_camera import demo_camera, is_demo  # noqa: PLC0415
    from appliance.cli.named_cameras import camera_at, camera_named  # noqa: PLC0415
    from appliance.config import ScenesSourceTable  # noqa: PLC0415
    from appliance.scenes import scene_camera  # noqa: PLC0415

    if config is None:
        table = camera_at(str(device))
        return demo_camera(monotonic_ns) if is_demo(table) else camera_of(table, monotonic_ns)
    named = camera_named(config, source)
    if isinstance(named, ScenesSourceTable):
        return scene_camera(named, monotonic_ns)
    return camera_of(named, monotonic_ns)
