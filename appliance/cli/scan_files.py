"""`chot scan` on files: pictures, folders of them, videos and recordings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from admission.reading import Symbology
from appliance.cli.scan_replay import replay
from appliance.cli.scan_report import Finding, Found, Report, fault
from scanner.camera import files
from scanner.camera.ladder import Ladder, read_closely
from scanner.camera.luma import gray_of
from scanner.camera.port import Encoding, Frame
from scanner.camera.symbol.candidates import candidates
from scanner.camera.symbologies import Wanted
from scanner.errors import CameraError, CameraExhaustedError, PictureError, ScannerError
from scanner.stamps import is_recording

_PICTURES_HINT = "JPEG, PNG, BMP, WebP and PNM files are looked for"


def scan_files(
    paths: Iterable[Path],
    report: Report,
    monotonic_ns: Callable[[], int],
    symbologies: Iterable[str] = ("qr_code",),
) -> bool:
    """Report every picture, video and recording of `paths`; return whether all could be opened.

    :param symbologies: what is read; nothing else is reported.
    """
    wanted = Wanted(Symbology(each) for each in symbologies)
    unseen = False
    pictures: list[Path] = []
    films: list[Iterator[Finding]] = []
    for path in paths:
        if path.suffix.lower() in files.VIDEO_SUFFIXES:
            films.append(_scan_video(path, monotonic_ns, wanted, report.looked))
        elif is_recording(path):
            films.append(replay(path, monotonic_ns, wanted, report.looked))
        else:
            found = _pictures_of(path, report)
            unseen |= not found
            pictures += found
    failed = False
    for finding in itertools.chain(
        _with_progress(_scan_pictures(pictures, monotonic_ns, wanted), len(pictures)),
        *(_with_progress(film, None) for film in films),
    ):
        failed |= bool(finding.error) and finding.frame is None
        report.add(finding)
    return not (failed or unseen)


def _pictures_of(path: Path, report: Report) -> list[Path]:

    if not path.is_dir():
        return [path]
    try:
        pictures = files.pictures_in(path)
    except CameraError as error:
        report.add(fault(str(path), error))
        return []
    if not pictures:
        report.add(Finding(str(path), error=f"{path} holds no pictures", hint=_PICTURES_HINT))
    return pictures


def _scan_pictures(
    pictures: Iterable[Path], monotonic_ns: Callable[[], int], wanted: Wanted
) -> Iterator[Finding]:
    for path in pictures:
        try:
            data = files.read_picture(path)
            began_ns = monotonic_ns()
            gray = gray_of(Frame(data, Encoding.PICTURE, 0, 0, began_ns, 0))
            sightings = read_closely(gray, monotonic_ns, wanted)
        except PictureError as error:
            yield Finding(str(path), error=f"{path}: {error}", hint=error.hint)
        except ScannerError as error:
            yield fault(str(path), error)
        else:
            ms = (monotonic_ns() - began_ns) / 1e6
            yield Finding(
                str(path), tuple(Found(s.text, s.symbology, s.rung, s.quad) for s in sightings), ms
            )


def _scan_video(
    path: Path, monotonic_ns: Callable[[], int], wanted: Wanted, looked: Callable[[], None]
) -> Iterator[Finding]:
    """Yield each text of a video once, at the frame that first shows it, or the video without."""
    camera = files.VideoFileCamera(path, monotonic_ns)
    ladder = Ladder(monotonic_ns, wanted=wanted, locate=candidates)
    seen: set[str] = set()
    try:
        camera.open()
        while True:
            frame = camera.read()
            looked()
            began_ns = monotonic_ns()
            new = [s for s in ladder.look(gray_of(frame), frame.captured_ns) if s.text not in seen]
            seen.update(sighting.text for sighting in new)
            if new:
                found = tuple(Found(s.text, s.symbology, s.rung, s.quad) for s in new)
                ms = (monotonic_ns() - began_ns) / 1e6
                yield Finding(str(path), found, ms, frame.sequence, film=True)
    except CameraExhaustedError:
        if not seen:
            yield Finding(str(path), film=True)
    except ScannerError as error:
        yield fault(str(path), error)
    finally:
        camera.close()


def _with_progress(findings: Iterator[Finding], total: int | None) -> Iterator[Finding]:
    """Pass findings on, with a progress bar on standard error if somebody watches it."""
    errors = Console(stderr=True)
    yield from track(
        findings,
        "reading",
        total=total,
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
