"""`chot scan`: a technician's tool. What was read, by which rung, in how long."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from appliance.cli.preview_option import PreviewAddress, PreviewType
from appliance.cli.scan_report import Finding, Found, JsonReport, Report, TableReport, fault
from appliance.clock import SystemClock
from scanner.errors import CameraError, CameraExhaustedError, PictureError, ScannerError

EXIT_NOTHING_OPENED = 1
EXIT_INTERRUPTED = 130
SCANNER_PROFILES = (
    "generic",
    "honeywell",
    "zebra-ssi",
    "newland",
    "datalogic",
    "datalogic-gryphon",
    "gm65",
    "de2120",
)
SCANNER_COMMANDS = (
    "good",
    "bad",
    "trigger_on",
    "trigger_off",
    "enable",
    "disable",
    "light_on",
    "light_off",
)
_PICTURES_HINT = "JPEG, PNG, BMP, WebP and PNM files are looked for"


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[PICTURE|FOLDER|VIDEO|RECORDING]...",
)
@click.option(
    "--camera",
    "cameras",
    multiple=True,
    metavar="DEVICE",
    help="Watch a camera, e.g. /dev/video0; 'demo' films rendered people.",
)
@click.option(
    "--preview",
    default="auto",
    show_default="auto: 127.0.0.1:8090",
    type=PreviewType(),
    help="Where the page is that shows what cameras see, or off.",
)
@click.option(
    "--serial",
    "ports",
    multiple=True,
    metavar="PORT|auto[:PORT]",
    help="Listen to a serial scanner; auto finds scanners and how they are set.",
)
@click.option(
    "--baud",
    show_default="the profile's",
    type=click.IntRange(1_200, 3_000_000),
    help="Of the serial ports.",
)
@click.option(
    "--profile",
    default="generic",
    show_default=True,
    type=click.Choice(SCANNER_PROFILES),
    help="Of the serial scanners: whose language they speak.",
)
@click.option(
    "--ask/--no-ask",
    "asking",
    default=True,
    show_default=True,
    help="With --serial auto: ask what is at a port who it is, or only listen.",
)
@click.option(
    "--tell",
    "told",
    type=click.Choice(SCANNER_COMMANDS),
    help="Tell the serial scanners something once they are there, to see what people would.",
)
@click.option(
    "--wedge",
    "keyboards",
    multiple=True,
    metavar="DEVICE",
    help="Take a scanner that types as a keyboard, e.g. /dev/input/by-id/…-event-kbd.",
)
@click.option(
    "--layout",
    default="us",
    show_default=True,
    type=click.Choice(["us", "de", "fr"]),
    help="The keyboard language that the wedges are set to.",
)
@click.option(
    "--wedge-end",
    default="enter",
    show_default=True,
    type=click.Choice(["enter", "tab", "none"]),
    help="What the wedges type after each code.",
)
@click.option("--keypad", is_flag=True, help="Take codes typed here, each ended with Enter.")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0.1),
    help="End live sources after so many seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
@click.pass_context
def scan(
    context: click.Context,
    *,
    paths: tuple[Path, ...],
    cameras: tuple[str, ...],
    preview: PreviewAddress | None,
    ports: tuple[str, ...],
    baud: int | None,
    profile: str,
    asking: bool,
    told: str | None,
    keyboards: tuple[str, ...],
    layout: str,
    wedge_end: str,
    keypad: bool,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Read codes from pictures, folders, videos, recordings, cameras, scanners and people.

    A folder that holds a recording (frames and their stamps) is replayed as its camera saw it.
    Exits with 1 if nothing at all could be opened.
    """
    live = bool(cameras or ports or keyboards or keypad)
    if not (paths or live):
        msg = "Name a picture, a folder, a video, --camera, --serial, --wedge or --keypad."
        raise click.UsageError(msg)
    monotonic_ns = SystemClock().monotonic_ns
    opened = False
    try:
        if paths:
            report: Report = JsonReport() if as_json else TableReport(live=False)
            try:
                opened |= scan_files(paths, report, monotonic_ns)
            finally:
                report.close()
        if live:
            # Devices only when asked for.
            from appliance.camera_table import CameraSourceTable  # noqa: PLC0415
            from appliance.cli.scan_live import LiveTable, watch  # noqa: PLC0415
            from appliance.cli.scan_serial import SerialDetection  # noqa: PLC0415
            from appliance.wedge_table import WedgeSourceTable  # noqa: PLC0415
            from scanner.wedge.layouts import LayoutName  # noqa: PLC0415
            from scanner.wedge.settings import WedgeEnd  # noqa: PLC0415

            report = JsonReport() if as_json else TableReport(live=True)
            serial = SerialDetection(report, asking=asking, seconds=seconds, as_json=as_json)
            tables: list[LiveTable] = [
                *(CameraSourceTable(device, device) for device in cameras),
                *serial.tables(ports, baud, profile),
                *(
                    WedgeSourceTable(device, device, LayoutName(layout), WedgeEnd(wedge_end))
                    for device in keyboards
                ),
            ]
            opened |= watch(
                tables,
                report,
                monotonic_ns,
                keypad=keypad,
                seconds=seconds,
                preview=preview,
                told=told,
            )
    except KeyboardInterrupt:
        context.exit(EXIT_INTERRUPTED)
    if not opened:
        context.exit(EXIT_NOTHING_OPENED)


def scan_files(paths: Iterable[Path], report: Report, monotonic_ns: Callable[[], int]) -> bool:
    """Report every picture, video and recording of `paths`; return whether any could be opened."""
    from appliance.cli.scan_replay import replay  # noqa: PLC0415 - OpenCV takes time to load
    from scanner.camera.files import VIDEO_SUFFIXES  # noqa: PLC0415
    from scanner.stamps import is_recording  # noqa: PLC0415

    pictures: list[Path] = []
    films: list[Iterator[Finding]] = []
    for path in paths:
        if path.suffix.lower() in VIDEO_SUFFIXES:
            films.append(_scan_video(path, monotonic_ns))
        elif is_recording(path):
            films.append(replay(path, monotonic_ns))
        else:
            pictures += _pictures_of(path, report)
    opened = False
    for finding in itertools.chain(
        _with_progress(_scan_pictures(pictures, monotonic_ns), len(pictures)),
        *(_with_progress(film, None) for film in films),
    ):
        opened |= not finding.error
        report.add(finding)
    return opened


def _pictures_of(path: Path, report: Report) -> list[Path]:
    from scanner.camera.files import pictures_in  # noqa: PLC0415

    if not path.is_dir():
        return [path]
    try:
        pictures = pictures_in(path)
    except CameraError as error:
        report.add(fault(str(path), error))
        return []
    if not pictures:
        report.add(Finding(str(path), error=f"{path} holds no pictures", hint=_PICTURES_HINT))
    return pictures


def _scan_pictures(pictures: Iterable[Path], monotonic_ns: Callable[[], int]) -> Iterator[Finding]:
    from scanner.camera.files import read_picture  # noqa: PLC0415
    from scanner.camera.ladder import read_picture as read_codes  # noqa: PLC0415
    from scanner.camera.luma import gray_of  # noqa: PLC0415
    from scanner.camera.port import Encoding, Frame  # noqa: PLC0415

    for path in pictures:
        try:
            data = read_picture(path)
            began_ns = monotonic_ns()
            sightings = read_codes(gray_of(Frame(data, Encoding.PICTURE, 0, 0, began_ns, 0)))
        except PictureError as error:
            yield Finding(str(path), error=f"{path}: {error}", hint=error.hint)
        except ScannerError as error:
            yield fault(str(path), error)
        else:
            ms = (monotonic_ns() - began_ns) / 1e6
            yield Finding(
                str(path), tuple(Found(s.text, s.symbology, s.rung, s.quad) for s in sightings), ms
            )


def _scan_video(path: Path, monotonic_ns: Callable[[], int]) -> Iterator[Finding]:
    """Yield each text of a video once, at the frame that first shows it, or the video without."""
    from scanner.camera.files import VideoFileCamera  # noqa: PLC0415
    from scanner.camera.ladder import Ladder  # noqa: PLC0415
    from scanner.camera.luma import gray_of  # noqa: PLC0415

    camera, ladder = VideoFileCamera(path, monotonic_ns), Ladder(monotonic_ns)
    seen: set[str] = set()
    try:
        camera.open()
        while True:
            frame = camera.read()
            began_ns = monotonic_ns()
            new = [s for s in ladder.look(gray_of(frame)) if s.text not in seen]
            seen.update(sighting.text for sighting in new)
            if new:
                found = tuple(Found(s.text, s.symbology, s.rung, s.quad) for s in new)
                ms = (monotonic_ns() - began_ns) / 1e6
                yield Finding(str(path), found, ms, frame.sequence)
    except CameraExhaustedError:
        if not seen:
            yield Finding(str(path))
    except ScannerError as error:
        yield fault(str(path), error)
    finally:
        camera.close()


def _with_progress(findings: Iterator[Finding], total: int | None) -> Iterator[Finding]:
    """Pass findings on, with a progress bar on standard error if somebody watches it."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    errors = Console(stderr=True)
    yield from track(
        findings,
        "reading",
        total=total,
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
