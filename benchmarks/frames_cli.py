"""`chot bench frames`: its options, and its figures as a table for a person."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.command import answer, json_option
from benchmarks.frames import QUICK, SIZES, Plan, measure
from benchmarks.frames_figures import FramesFigures


@click.command()
@click.option("--quick", is_flag=True, help="A few frames only: shows that it works, no more.")
@click.option("--scenes", default=Plan().scenes, show_default=True, type=click.IntRange(1, 1_000))
@json_option
def frames(*, quick: bool, scenes: int, as_json: bool) -> None:
    """Motion JPEG at 1080p and 720p, empty and with codes: cost a frame, frames until read."""
    plan = QUICK if quick else Plan(scenes=scenes)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scenes", total=len(SIZES) * plan.scenes)
        figures = measure(plan, progress=lambda done: progress.update(task, completed=done))
    answer(figures, _table, as_json=as_json)


def _table(figures: FramesFigures) -> Table:
    table = Table(title=f"motion JPEG at 30 frames a second, {figures.scenes} scenes of each size")
    for heading in ("frames", "code", "ms a frame", "first ms", "in the first", "p99 frames"):
        table.add_column(heading, justify="left" if heading == "frames" else "right")
    for size, cases in (("1080p", figures.cases_1080p), ("720p", figures.cases_720p)):
        empty, *codes = cases
        table.add_row(size, "empty", f"{empty.stream_ms:.2f}")
        table.add_row("", "  brightness only", f"{empty.luma_ms:.3f}")
        table.add_row("", "  floor: JPEG decoding", f"{empty.jpeg_decoding_ms:.2f}")
        table.add_row("", "  a look while it moves", f"{empty.look_ms:.2f}")
        table.add_row("", "  a job of the slow lane", f"{empty.slow_job_ms:.0f}")
        table.add_row("", "  zxing-cpp, all formats", f"{empty.zxing_default_ms:.2f}")
        table.add_row("", "  zxing-cpp, QR only", f"{empty.zxing_qr_ms:.2f}")
        for case in codes:
            table.add_row(
                size, f"{case.code_share:.0%}", f"{case.stream_ms:.2f}", f"{case.first_ms:.2f}",
                f"{case.read_in_first:.1%}", str(case.read_frames_p99),
            )  # fmt: skip
    table.caption = (
        f"zxing-cpp's defaults cost {figures.zxing_default_ratio} × ours on an empty 1080p frame;"
        f" one core keeps up with {figures.fps_per_core_720p} frames of 720p a second"
    )
    return table
