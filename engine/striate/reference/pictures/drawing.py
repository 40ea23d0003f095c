"""SVG, as far as the pictures of layers need it: grids of numbers, grey images, curves, words, nothing from outside.

Words and lines are of a grey that reads on white and on black; what lies on a cell is black or white by its colour.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import isfinite

INK = "#7d8590"
CURVES = ("#2f81f7", "#d2691e", "#2da44e", "#a371f7", "#c9386b")
"""The colours of curves, in order, all readable on white and on black."""

GAP = 14
LINE = 15
_WIDEST = 720
_PALE, _DEEP = (222, 235, 247), (8, 81, 156)

Rows = Sequence[Sequence[float]]


@dataclass
class Drawing:
    """Elements with the room they take; panels are laid beside each other and wrap."""

    parts: list[str] = field(default_factory=list)
    width: float = 0
    height: float = 0

    def add(self, element: str, right: float, bottom: float) -> None:
        """Add an element that reaches to these edges."""
        self.parts.append(element)
        self.width, self.height = max(self.width, right), max(self.height, bottom)

    def words(self, left: float, baseline: float, text: str, *, size: int = 11, color: str = INK) -> None:
        """Write a line."""
        shown = escape(text, quote=False)
        self.add(
            f'<text x="{left:g}" y="{baseline:g}" font-size="{size}" fill="{color}">{shown}</text>',
            left + words_width(text, size),
            baseline + 4,
        )

    def svg(self) -> str:
        """Return the picture as a file's text."""
        width, height = f"{self.width + 4:g}", f"{self.height + 4:g}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="ui-monospace, monospace">'
        )
        return "\n".join([head, *self.parts, "</svg>", ""])


def words_width(text: str, size: int) -> float:
    """Return how wide a line is about, in a font of equal widths."""
    return len(text) * size * 0.61


@dataclass(frozen=True)
class Panel:
    """A picture of one value: a title, its size, and its elements, counted from its upper left corner."""

    title: str
    width: float
    height: float
    elements: tuple[str, ...]


def laid_out(panels: Sequence[Panel]) -> Drawing:
    """Lay panels beside each other, in as many rows as they need, each below its title."""
    drawing, left, top, tallest = Drawing(), 4.0, 0.0, 0.0
    for panel in panels:
        room = max(panel.width, words_width(panel.title, 11))
        if left > 4 and left + room > _WIDEST:
            left, top, tallest = 4.0, top + tallest + LINE + GAP, 0.0
        drawing.words(left, top + 11, panel.title)
        lines = "\n".join([f'<g transform="translate({left:g} {top + LINE:g})">', *panel.elements, "</g>"])
        drawing.add(lines, left + room, top + LINE + panel.height)
        left, tallest = left + room + 2 * GAP, max(tallest, panel.height)
    return drawing


def cells(title: str, layers: Sequence[Rows], low: float, high: float) -> Panel:
    """Return channels of numbers beside each other, coloured between two numbers."""
    side = 22 if max(len(shown(number)) for rows in layers for row in rows for number in row) < 4 else 30
    boxes: dict[str, str] = {}
    texts: dict[str, str] = {"#000": "", "#fff": ""}
    left = 0.0
    for rows in layers:
        for y, row in enumerate(rows):
            for x, number in enumerate(row):
                share = (number - low) / ((high - low) or 1)
                color = _color(share)
                boxes[color] = boxes.get(color, "") + _box(left + x * side, y * side, side - 1)
                place = f'x="{left + (x + 0.5) * side:g}" y="{(y + 0.5) * side + 3.5:g}"'
                texts["#fff" if share > _DARK else "#000"] += f"<text {place}>{shown(number)}</text>"
        left += len(rows[0]) * side + GAP / 2
    words = [f'<g fill="{ink}" font-size="10" text-anchor="middle">{text}</g>' for ink, text in texts.items() if text]
    return Panel(title, left - GAP / 2, max(map(len, layers)) * side, (*_boxes(boxes), *words))


def shades(title: str, rows: Rows, marked: tuple[int, int] | None = None) -> Panel:
    """Return a grid of cells between 0 and 1 without numbers, one of them framed."""
    side, boxes = 16, dict[str, str]()
    for y, row in enumerate(rows):
        for x, share in enumerate(row):
            boxes[_color(share)] = boxes.get(_color(share), "") + _box(x * side, y * side, side - 1)
    frame = []
    if marked is not None:
        box = _box(marked[1] * side + 1, marked[0] * side + 1, side - 3)
        frame.append(f'<path d="{box}" fill="none" stroke="{_FRAME}" stroke-width="3"/>')
    return Panel(title, len(rows[0]) * side, len(rows) * side, (*_boxes(boxes), *frame))


_DARK = 0.5
"""The share from which on a cell is so dark that white reads better on it."""

_FRAME = "#d2691e"


def _color(share: float) -> str:
    share = min(max(share, 0.0), 1.0) if isfinite(share) else 0.0
    return "#" + "".join(f"{round(pale + share * (deep - pale)):02x}" for pale, deep in zip(_PALE, _DEEP, strict=True))


def _box(x: float, y: float, side: int) -> str:
    return f"M{x:g} {y:g}h{side}v{side}h-{side}z"


def _boxes(paths: Mapping[str, str]) -> list[str]:
    return [f'<path fill="{color}" d="{path}"/>' for color, path in paths.items()]


def shown(number: float) -> str:
    """Return a number in the few digits that a cell has room for."""
    if not isfinite(number):
        return f"{number:g}"
    rounded = round(number, 1 if abs(number) < 10 else 0)
    return f"{rounded + 0.0:g}"


def grey(title: str, rows: Rows, side: int) -> Panel:
    """Return an image of numbers from 0 to 1, `side` picture points for each pixel."""
    width, height = len(rows[0]) * side, len(rows) * side
    data = base64.b64encode(_png(rows)).decode()
    image = f'<image width="{width}" height="{height}" style="image-rendering:pixelated" href="{_DATA}{data}"/>'
    return Panel(title, width, height, (image,))


_DATA = "data:image/png;base64,"


def _png(rows: Rows) -> bytes:
    """Return a grey PNG whose bytes are stored as they are, so that they do not depend on who compresses."""
    lines = b"".join(b"\0" + bytes(round(255 * min(max(value, 0.0), 1.0)) for value in row) for row in rows)
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(lines), 0xFFFF - len(lines)) + lines
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", stored + struct.pack(">I", zlib.adler32(lines))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


_PLOT_WIDTH, _PLOT_HEIGHT = 300, 180


def curves(places: Sequence[float], lines: Sequence[tuple[str, Sequence[float]]], bottom: float, top: float) -> Drawing:
    """Return curves over the same places, cut at `bottom` and `top`, with both axes and a legend."""
    drawing = Drawing()
    low, high = places[0], places[-1]
    left, right = 30.0, 30.0 + _PLOT_WIDTH

    def across(place: float) -> float:
        return left + (place - low) / (high - low) * _PLOT_WIDTH

    def down(value: float) -> float:
        return 8 + (top - value) / (top - bottom) * _PLOT_HEIGHT

    axis, origin = down(min(max(0.0, bottom), top)), across(min(max(0.0, low), high))
    for x1, y1, x2, y2 in ((left, axis, right, axis), (origin, 8, origin, 8 + _PLOT_HEIGHT)):
        drawing.add(f'<path d="M{x1:g} {y1:.1f}L{x2:g} {y2:.1f}" stroke="{INK}"/>', x2, y2)
    for place in (low, high):
        drawing.words(across(place) - 8, axis + 13, f"{place:g}", size=10)
    for value in (bottom, top):
        drawing.words(origin + 3, down(value) + (9 if value == top else -2), f"{value:.3g}", size=10)
    for number, (title, values) in enumerate(lines):
        color = CURVES[number]
        path = _path([(across(x), y, down(y)) for x, y in zip(places, values, strict=True)], bottom, top)
        drawing.add(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/>', right, 8 + _PLOT_HEIGHT)
        drawing.words(left, 8 + _PLOT_HEIGHT + LINE * (number + 1) + 8, title, color=color)
    return drawing


def _path(points: Sequence[tuple[float, float, float]], bottom: float, top: float) -> str:
    """Return a path through the points between two values; it ends where the curve leaves or jumps."""
    made, drawn = "", False
    for before, (x, value, y) in pairwise([points[0], *points]):
        inside = bottom <= value <= top
        jumps = abs(value - before[1]) > (top - bottom) / 4
        if inside:
            made += f"{'L' if drawn and not jumps else 'M'}{x:.1f} {y:.1f}"
        drawn = inside
    return made
