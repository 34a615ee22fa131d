"""Plug-ins for tests: installed into a folder as pip would, found by their entry points."""

from __future__ import annotations

from pathlib import Path


def install(folder: Path, module: str, source: str, entry_points: dict[str, str]) -> Path:
    """Write a module and the metadata of the package that holds it."""
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    lines = [f"{name} = {target}" for name, target in entry_points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[chot.credentials]", *lines, ""]))
    return folder
