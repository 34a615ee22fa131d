"""Only what a site takes is read, and it is called what it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from zxingcpp import BarcodeFormat

from admission.reading import Symbology
from scanner.camera.ladder import Ladder, read_picture
from scanner.camera.port import Gray
from scanner.camera.rungs import RUNGS, Cost, rungs_for
from scanner.camera.symbologies import OPTICAL, QR_ONLY, Wanted
from scanner.errors import CameraError
from tests.scanner.camera.pictures import canvas, place

FORMATS = {
    Symbology.QR_CODE: BarcodeFormat.QRCodeModel2,
    Symbology.MICRO_QR: BarcodeFormat.MicroQRCode,
    Symbology.RMQR: BarcodeFormat.RMQRCode,
    Symbology.AZTEC: BarcodeFormat.AztecCode,
    Symbology.DATA_MATRIX: BarcodeFormat.DataMatrix,
    Symbology.PDF417: BarcodeFormat.PDF417,
    Symbology.CODE_128: BarcodeFormat.Code128,
}


def shown(symbology: Symbology) -> Gray:
    barcode = zxingcpp.create_barcode("GATE 128", FORMATS[symbology])
    return place(canvas(1280, 720), np.array(barcode.to_image(4)), 100, 100)


def test_every_optical_symbology_is_known() -> None:
    assert set(FORMATS) == OPTICAL


@pytest.mark.parametrize("symbology", sorted(OPTICAL))
def test_what_is_wanted_is_read_and_named(symbology: Symbology) -> None:
    wanted = Wanted([symbology])
    (sighting,) = Ladder(lambda: 0, wanted=wanted).look(shown(symbology))
    assert (sighting.text, sighting.payload) == ("GATE 128", b"GATE 128")
    assert sighting.symbology is symbology
    assert sighting.area_px > 0


@pytest.mark.parametrize("symbology", sorted(OPTICAL))
def test_nothing_else_is_reported(symbology: Symbology) -> None:
    wanted = Wanted(OPTICAL - {symbology})
    assert read_picture(shown(symbology), rungs_for(wanted), wanted) == []


def test_qr_codes_alone_are_read_unless_more_is_wanted() -> None:
    assert QR_ONLY.symbologies == {Symbology.QR_CODE}
    assert rungs_for(QR_ONLY) == RUNGS


@pytest.mark.parametrize("symbology", [Symbology.PDF417, Symbology.CODE_128])
def test_stripes_that_stand_upright_are_read_in_turn(symbology: Symbology) -> None:
    wanted = Wanted([Symbology.QR_CODE, symbology])
    upright = np.ascontiguousarray(np.rot90(shown(symbology)))
    (sighting,) = read_picture(upright, rungs_for(wanted), wanted)
    assert sighting.rung == "others-turned"


def test_two_kinds_of_code_in_one_picture_are_both_found() -> None:
    wanted = Wanted([Symbology.QR_CODE, Symbology.AZTEC])
    picture = shown(Symbology.QR_CODE)
    aztec = np.array(zxingcpp.create_barcode("the other", BarcodeFormat.AztecCode).to_image(4))
    picture = place(picture, aztec, 800, 400)
    ladder = Ladder(lambda: 0, wanted=wanted)
    texts = {s.text for _ in range(60) for s in ladder.look(picture)}
    assert texts == {"GATE 128", "the other"}


def test_code_128_is_never_guessed_from_preparations() -> None:
    """Its one check character would let noise through, of twenty preparations a picture."""
    wanted = Wanted([Symbology.CODE_128])
    kinds = {rung.name for rung in rungs_for(wanted)}
    assert kinds == {"others", "others-turned"}


def test_cheap_rungs_come_first_whatever_is_wanted() -> None:
    costs = [rung.cost for rung in rungs_for(Wanted(OPTICAL))]
    assert costs == sorted(costs, key=lambda cost: cost is Cost.EXPENSIVE)


@pytest.mark.parametrize(
    "strange", [[], [Symbology.TYPED], [Symbology.QR_CODE, Symbology.UNSTATED]]
)
def test_what_no_camera_reads_is_refused_with_a_hint(strange: list[Symbology]) -> None:
    with pytest.raises(CameraError) as caught:
        Wanted(strange)
    assert "qr_code" in caught.value.hint


def test_light_codes_on_dark_are_read_in_every_matrix_symbology() -> None:
    wanted = Wanted([Symbology.DATA_MATRIX])
    negative = cv2.bitwise_not(shown(Symbology.DATA_MATRIX))
    assert read_picture(negative, rungs_for(wanted), wanted)[0].text == "GATE 128"
