"""A tiny corpus, rendered: codes with known texts, one nobody knows, one picture without a code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2

from scanner.camera.port import Gray
from tests.scanner.camera.pictures import canvas, scene


def a_corpus(folder: Path, *, name: str = "shop") -> Path:
    """Two readable photographs (one of them easy), one unknown text, one negative, one skipped."""
    items = [
        item("easy.png", "near", ["gate one"], scene("gate one"), folder / name),
        item("gray.png", "far", ["never seen"], canvas(), folder / name),
        item("new.png", "far", [], scene("nobody knows"), folder / name),
        item("none.png", "empty", [], canvas(), folder / name, codes=0),
        {**item("out.png", "near", ["x"], scene("x"), folder / name), "skip": True},
    ]
    (folder / name / "manifest.json").write_text(json.dumps({"set": name, "items": items}))
    return folder


def item(
    file: str, category: str, texts: list[str], picture: Gray, folder: Path, *, codes: int = 1
) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / file), picture)
    return {
        "file": file,
        "cat": category,
        "n_codes": codes,
        "texts": texts,
        "unsure": [],
        "split": "open",
    }
