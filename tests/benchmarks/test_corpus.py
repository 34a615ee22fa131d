"""Corpora are read as their manifests say, and what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.corpus import LONGEST_SIDE_PX, photographs, picture
from benchmarks.errors import CorpusError
from tests.benchmarks.corpora import a_corpus, item
from tests.scanner.camera.pictures import canvas
from tests.worlds import chot_data


def test_a_corpus_is_read_in_a_fixed_order_without_what_is_skipped(tmp_path: Path) -> None:
    found = photographs(a_corpus(tmp_path))
    assert [p.name for p in found] == [
        "shop/easy.png", "shop/gray.png", "shop/new.png", "shop/none.png",
    ]  # fmt: skip
    assert [p.category for p in found] == ["shop/near", "shop/far", "shop/far", "shop/empty"]
    assert [p.readable for p in found] == [True, True, False, False]


def test_sets_are_chosen_by_name(tmp_path: Path) -> None:
    a_corpus(tmp_path, name="shop")
    a_corpus(tmp_path, name="bank")
    assert {p.name.split("/")[0] for p in photographs(tmp_path)} == {"bank", "shop"}
    assert {p.name.split("/")[0] for p in photographs(tmp_path, ["bank"])} == {"bank"}
    with pytest.raises(CorpusError, match="no set moon") as caught:
        photographs(tmp_path, ["bank", "moon"])
    assert "bank, shop" in caught.value.hint


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no photographs"):
        photographs(tmp_path)


@pytest.mark.parametrize("manifest", ["{", '{"items": [{"file": 3}]}', "[]"])
def test_a_malformed_manifest_is_named(tmp_path: Path, manifest: str) -> None:
    a_corpus(tmp_path)
    (tmp_path / "shop" / "manifest.json").write_text(manifest)
    with pytest.raises(CorpusError, match=r"manifest\.json"):
        photographs(tmp_path)


def test_photographs_are_brought_down_to_a_cameras_frame(tmp_path: Path) -> None:
    a_corpus(tmp_path)
    (first, *_) = photographs(tmp_path)
    assert picture(first).shape == (480, 640)
    item("easy.png", "near", [], canvas(4000, 1000), tmp_path / "shop")
    small = picture(first)
    assert small.shape == (480, LONGEST_SIDE_PX)
    assert small.dtype == np.uint8


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    a_corpus(tmp_path)
    (first, *_) = photographs(tmp_path)
    first.path.write_bytes(b"no picture")
    with pytest.raises(CorpusError, match=r"easy\.png"):
        picture(first)
    first.path.unlink()
    with pytest.raises(CorpusError, match=r"easy\.png"):
        picture(first)


@pytest.mark.data
def test_the_open_photographs_are_all_there() -> None:
    found = photographs(chot_data("qr-photos"))
    assert sum(p.codes > 0 for p in found) == 460
    assert sum(p.readable for p in found) == 430
    assert sum(p.codes == 0 for p in found) == 408
