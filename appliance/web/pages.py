"""The pages' files, read once at start: nothing on the disk is reached by a request's path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_BUILD = b"{{build}}"


class Page(msgspec.Struct, frozen=True):
    """One file as it is served."""

    body: bytes
    content_type: str
    etag: str


class Pages(msgspec.Struct, frozen=True):
    """All files by URL path, the page itself among them. `build` names this set of contents."""

    build: str
    by_path: dict[str, Page]


def load_pages(folder: str = "static", shared: Iterable[str] = (), *, at: str = "") -> Pages:
    """Return the files of one page that ship with this package.

    :param shared: folders that it takes from the kiosk's.
    :param at: path under which it is served, such as `/desk`; empty for the server's own page.
    """
    package = files("appliance.web")
    contents = dict(_walk(package / folder, f"{at}/static/"))
    for name in shared:
        contents |= _walk(package / "static" / name, f"{at}/static/{name}/")
    digest = hashlib.sha256()
    for path in sorted(contents):
        digest.update(path.encode() + b"\0" + contents[path] + b"\0")
    build = digest.hexdigest()[:16]
    contents[at or "/"] = contents.pop(f"{at}/static/index.html").replace(_BUILD, build.encode())
    return Pages(build, {path: _page(path, body) for path, body in contents.items()})


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry.name) in _TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


def _page(path: str, body: bytes) -> Page:
    content_type = _TYPES[_suffix(path) or ".html"]
    return Page(body, content_type, hashlib.sha256(body).hexdigest()[:16])


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
