"""`chot scan`: a technician's tool. What was read, by which rung, in how long."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from appliance.cli.preview_option import PreviewAddress, PreviewType
from appliance.cli.scan_report import JsonReport, Report, TableReport
from appliance.clock import SystemClock

EXIT_NOT_OPENED = 1
EXIT_INTERRUPTED = 130
SYMBOLOGIES = ("qr_code", "micro_qr", "rmqr", "aztec", "data_matrix", "pdf417", "code_128")
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


def _named(
    _context: click.Context, _option: click.Parameter, devices: tuple[str, ...]
) -> tuple[str, ...]:
    for device in devices:
        if not device.strip() or device == "auto:":
            msg = f"'{device}' names no device."
            raise click.BadParameter(msg)
    return devices


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
    callback=_named,
    metavar="DEVICE",
    help="Watch a camera, e.g. /dev/video0; 'demo' films rendered people.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Watch cameras as this configuration sets them...",
)
@click.option(
    "--source", "sources", multiple=True, metavar="NAME", help="...those that it names so."
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
    callback=_named,
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
    callback=_named,
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
@click.option(
    "--symbology",
    "symbologies",
    multiple=True,
    default=("qr_code",),
    show_default=True,
    type=click.Choice(SYMBOLOGIES),
    help="What is read in pictures and by cameras; repeat for several.",
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
    config: Path | None,
    sources: tuple[str, ...],
    preview: PreviewAddress | None,
    ports: tuple[str, ...],
    baud: int | None,
    profile: str,
    asking: bool,
    told: str | None,
    keyboards: tuple[str, ...],
    layout: str,
    wedge_end: str,
    symbologies: tuple[str, ...],
    keypad: bool,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Read codes from pictures, folders, videos, recordings, cameras, scanners and people.

    A folder that holds a recording (frames and their stamps) is replayed as its camera saw it.
    Exits with 1 if a file or folder could not be read, or no live source could be opened. A
    picture without a code is no error, nor is one damaged frame of a recording.
    """
    if (config is None) != (not sources):
        msg = "Name cameras of a configuration by --config FILE and --source NAME."
        if config is not None:
            from appliance.cli.named_cameras import cameras_of  # noqa: PLC0415

            msg += f" Its cameras: {', '.join(cameras_of(config)) or 'none'}."
        raise click.UsageError(msg)
    if told and not ports:
        msg = "Name the serial scanners that are told so by --serial."
        raise click.UsageError(msg)
    live = bool(cameras or sources or ports or keyboards or keypad)
    if not (paths or live):
        msg = "Name a picture, a folder, a video, --camera, --serial, --wedge or --keypad."
        raise click.UsageError(msg)
    monotonic_ns = SystemClock().monotonic_ns
    whole = opened = True
    try:
        if paths:
            report: Report = JsonReport() if as_json else TableReport(live=False)
            try:
                # OpenCV takes time to load.
                from appliance.cli.scan_files import scan_files  # noqa: PLC0415

                whole = scan_files(paths, report, monotonic_ns, symbologies)
            finally:
                report.close()
        if live:
            # Devices only when asked for.
            from appliance.camera_table import SymbologyName  # noqa: PLC0415
            from appliance.cli.named_cameras import camera_tables  # noqa: PLC0415
            from appliance.cli.scan_live import LiveTable, watch  # noqa: PLC0415
            from appliance.cli.scan_serial import SerialDetection  # noqa: PLC0415
            from appliance.wedge_table import WedgeSourceTable  # noqa: PLC0415
            from scanner.wedge.layouts import LayoutName  # noqa: PLC0415
            from scanner.wedge.settings import WedgeEnd  # noqa: PLC0415

            known = msgspec.convert(symbologies, tuple[SymbologyName, ...])
            report = JsonReport() if as_json else TableReport(live=True)
            serial = SerialDetection(report, asking=asking, seconds=seconds, as_json=as_json)
            tables: list[LiveTable] = [
                *camera_tables(cameras, known, config, sources),
                *serial.tables(ports, baud, profile),
                *(
                    WedgeSourceTable(device, device, LayoutName(layout), WedgeEnd(wedge_end))
                    for device in keyboards
                ),
            ]
            opened = watch(
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
    if not (whole and opened):
        context.exit(EXIT_NOT_OPENED)
