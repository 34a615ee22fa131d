"""`chot scan` says what was read, what was not, and what to do about it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
import zxingcpp
from click.testing import CliRunner

from appliance.camera_table import SymbologyName
from appliance.cli.main import main
from appliance.cli.named_cameras import cameras_of
from appliance.cli.scan import SYMBOLOGIES
from appliance.cli.scan_files import scan_files
from appliance.cli.scan_report import TEXT_SHOWN, shortened
from scanner.camera.symbologies import OPTICAL
from tests.appliance.cli.scanning import Findings, lines, run
from tests.scanner.camera.pictures import canvas, code, encoded, place, png_of_zeros, scene
from tests.worlds import chot_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "code.jpg").write_bytes(encoded(scene("DCVN1 \x1b[31mred")))
    (tmp_path / "deep" / "none.png").write_bytes(encoded(canvas(), ".png"))
    (tmp_path / "README.md").write_text("not a picture")
    return tmp_path


def test_a_folder_as_json_lines(folder: Path) -> None:
    result = run(folder, "--json")
    assert result.exit_code == 0
    code, none = lines(result)
    assert code["source"] == str(folder / "code.jpg")
    (reading,) = code["readings"]
    assert reading["text"] == "DCVN1 \x1b[31mred"
    assert reading["symbology"] == "qr_code"
    assert reading["rung"]
    assert len(reading["quad"]) == 4
    assert code["ms"] > 0
    assert none["readings"] == []
    assert "\x1b" not in result.stdout


def test_a_folder_as_a_table_without_what_a_code_could_do_to_a_terminal(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0
    assert "qr_code" in result.stdout
    assert "2 pictures, 1 read, 1 without" in result.stdout
    assert "\x1b[31mred" not in result.stdout


def test_long_texts_are_cut_and_say_how_long_they_are() -> None:
    assert shortened("x" * 499 + "y") == "x" * 30 + "…" + "x" * 9 + "y (500)"
    assert len(shortened("\x1b" * 500)) == TEXT_SHOWN + len("… (500)")
    assert shortened("[bold]Nguyễn[/bold]") == "[bold]Nguyễn[/bold]"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("absent.png", None, "is not there"),
        ("text.png", b"not a picture", "not a picture of a known kind"),
        ("empty.jpg", b"", "the picture is empty"),
        ("huge.png", png_of_zeros(10_000, 10_000), "10000 x 10000 pixels"),
        ("cut.jpg", encoded(scene("x"))[:3000], "truncated"),
        ("text.mp4", b"not a video", "is no video"),
    ],
)
def test_what_cannot_be_opened_is_said_and_fails(
    tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    result = run(path)
    assert result.exit_code == 1
    assert said in result.stderr
    (line,) = lines(run(path, "--json"))
    assert said in str(line["error"])
    assert str(path) in str(line["error"])


def test_one_bad_picture_among_good_ones_fails_and_the_others_are_read(folder: Path) -> None:
    for result in (run(folder, folder / "absent.png"), run(folder, "--symbology", "qr_code")):
        assert "1 read" in result.stdout
    assert run(folder, folder / "absent.png").exit_code == 1
    (folder / "bad.png").write_bytes(b"")
    assert run(folder).exit_code == 1


def test_a_folder_without_pictures_fails(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "holds no pictures" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--camera", ""],
        ["--serial", "auto:"],
        ["--serial", ""],
        ["--wedge", " "],
        ["--tell", "good", "--camera", "demo"],
    ],
)
def test_nothing_named_is_a_usage_error(arguments: list[str]) -> None:
    assert run(*arguments, "--for", "60").exit_code == 2


def test_a_configuration_without_a_source_lists_its_cameras() -> None:
    config = Path(__file__).parents[3] / "configs" / "supermarket.toml"
    result = run("--config", config)
    assert result.exit_code == 2
    assert f"Its cameras: {', '.join(cameras_of(config))}." in result.stderr.replace("\n", " ")


def test_the_main_command_knows_it(folder: Path) -> None:
    result = CliRunner().invoke(main, ["scan", str(folder), "--json"])
    assert result.exit_code == 0
    assert len(lines(result)) == 2


def test_a_video_shows_each_text_once_with_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for picture in [canvas(), *[scene("first")] * 5, canvas(), *[scene("second", 50)] * 5]:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    seen = [(line["readings"][0]["text"], line["frame"]) for line in lines(run(path, "--json"))]
    assert seen == [("first", 1), ("second", 7)]


def test_times_come_from_the_clock_passed_in(folder: Path) -> None:
    report, ticks = Findings(), itertools.count(0, 5_000_000)
    scan_files([folder / "code.jpg"], report, lambda: next(ticks))
    assert report.all[0].ms == 5.0 * round(report.all[0].ms / 5.0) > 0


def test_a_picture_is_read_by_the_slow_lane_too(tmp_path: Path) -> None:
    (tmp_path / "faint.png").write_bytes(encoded(245 + code("faint", 6) // 25, ".png"))
    (read,) = lines(run(tmp_path / "faint.png", "--json"))
    assert read["readings"][0]["text"] == "faint"


def test_other_symbologies_are_read_when_they_are_named(tmp_path: Path) -> None:
    barcode = zxingcpp.create_barcode("AZTEC", zxingcpp.BarcodeFormat.AztecCode)
    picture = place(canvas(), np.array(barcode.to_image(4)), 100, 100)
    path = tmp_path / "aztec.png"
    path.write_bytes(encoded(picture, ".png"))
    (unread,) = lines(run(path, "--json"))
    assert unread["readings"] == []
    (read,) = lines(run(path, "--json", "--symbology", "aztec"))
    assert (read["readings"][0]["text"], read["readings"][0]["symbology"]) == ("AZTEC", "aztec")


def test_every_symbology_of_a_camera_can_be_named() -> None:
    assert get_args(SymbologyName) == SYMBOLOGIES
    assert {str(each) for each in OPTICAL} == set(SYMBOLOGIES)


def test_ctrl_c_shows_what_was_read_so_far(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path) -> bytes:
        if path.name == "none.png":
            raise KeyboardInterrupt
        return path.read_bytes()

    monkeypatch.setattr("scanner.camera.files.read_picture", interrupted)
    result = run(folder)
    assert result.exit_code == 130
    assert "1 picture, 1 read, 0 without a code that could be read, 0 errors" in result.stdout


def test_an_encoding_that_lacks_a_character_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "long.png").write_bytes(encoded(scene("LONG" * 20), ".png"))
    result = CliRunner(charset="ascii").invoke(main, ["scan", str(tmp_path)])
    assert result.exit_code == 0
    assert "1 picture, 1 read" in result.stdout


@pytest.mark.data
def test_every_picture_of_the_certificates_quality_assurance_is_read() -> None:
    result = run(chot_data("dcc", "dcc-quality-assurance"), "--json")
    assert result.exit_code == 0
    found = lines(result)
    assert len(found) == 244
    unread = [line["source"] for line in found if not line.get("readings")]
    assert unread == []
    assert all(re.match("HC1:", line["readings"][0]["text"]) for line in found)
