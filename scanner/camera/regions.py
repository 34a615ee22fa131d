"""Places in a picture: corners of codes, and upright rectangles cut out around them."""

from __future__ import annotations

import math

import msgspec

from scanner.camera.port import Gray

Corner = tuple[float, float]
Quad = tuple[Corner, Corner, Corner, Corner]
"""Corners (x, y) in pixels, clockwise from the code's own top left."""


def area_of(quad: Quad) -> float:
    """Return a quad's area in square pixels."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in _sides(quad))) / 2


def mean_side_of(quad: Quad) -> float:
    """Return the mean length of a quad's sides in pixels."""
    return sum(math.dist(a, b) for a, b in _sides(quad)) / 4


def centre_of(quad: Quad) -> Corner:
    """Return the mean of a quad's corners."""
    return sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4


def shifted(quad: Quad, right_px: float, down_px: float) -> Quad:
    """Return a quad moved to the right and down."""
    a, b, c, d = ((x + right_px, y + down_px) for x, y in quad)
    return (a, b, c, d)


def scaled(quad: Quad, across: float, down: float) -> Quad:
    """Return a quad in a picture that is enlarged by these factors."""
    a, b, c, d = ((x * across, y * down) for x, y in quad)
    return (a, b, c, d)


class Region(msgspec.Struct, frozen=True, gc=False):
    """An upright rectangle of whole pixels; `right` and `bottom` lie just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width_px(self) -> int:
        """Pixels across; 0 or less if it is empty."""
        return self.right - self.left

    @property
    def height_px(self) -> int:
        """Pixels down; 0 or less if it is empty."""
        return self.bottom - self.top

    @property
    def pixels(self) -> int:
        """Its area."""
        return max(0, self.width_px) * max(0, self.height_px)

    def cut(self, gray: Gray) -> Gray:
        """Return this part of a picture, as a view."""
        return gray[self.top : self.bottom, self.left : self.right]

    def joined(self, other: Region) -> Region:
        """Return the smallest region that holds both."""
        return Region(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def holds(self, other: Region) -> bool:
        """Return whether `other` lies wholly inside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def whole(gray: Gray) -> Region:
    """Return the region that is the whole picture."""
    return Region(0, 0, gray.shape[1], gray.shape[0])


def around(quad: Quad, gray: Gray, margin: float, extra_px: float = 1.0) -> Region:
    """Return what holds a quad, as far as it lies in the picture.

    :param margin: share of its width and height that is added on each side, beside `extra_px`.
    """
    height, width = gray.shape
    xs, ys = [_within(x, width) for x, _ in quad], [_within(y, height) for _, y in quad]
    across = margin * (max(xs) - min(xs)) + extra_px
    down = margin * (max(ys) - min(ys)) + extra_px
    left, top = int(_within(min(xs) - across, width)), int(_within(min(ys) - down, height))
    right = max(left, math.ceil(_within(max(xs) + across, width)))
    bottom = max(top, math.ceil(_within(max(ys) + down, height)))
    return Region(left, top, right, bottom)


def _sides(quad: Quad) -> list[tuple[Corner, Corner]]:
    return list(zip(quad, quad[1:] + quad[:1], strict=True))


def _within(at: float, size: int) -> float:
    """Bring what a hostile picture made of a corner into the picture; NaN becomes 0."""
    return min(max(at, 0.0), float(size)) if at == at else 0.0  # noqa: PLR0124 - NaN differs
