"""Curves as a picture: a small SVG, which every browser and GitHub shows."""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from bench.growth import Point

WIDTH: Final = 640
HEIGHT: Final = 360
LEFT: Final = 60
BOTTOM: Final = 50
TOP: Final = 40
COLOURS: Final = ("#1b6ca8", "#c1443c", "#3d8b4f", "#8a5fb0")
TICKS: Final = 5


def picture(title: str, axis: str, curves: Mapping[str, Sequence[Point]]) -> str:
    """Draw processor time per call over `axis`, a curve for each proxy."""
    points = [point for curve in curves.values() for point in curve]
    right = max(point.at for point in points)
    top = max(point.cpu_ms for point in points) * 1.1
    body = [_text(LEFT, 20, title, "start"), _text(WIDTH / 2, HEIGHT - 10, axis, "middle")]
    for step in range(TICKS + 1):
        share = step / TICKS
        x, y = _place(right * share, 0, right, top)[0], _place(0, top * share, right, top)[1]
        body.append(_text(x, HEIGHT - BOTTOM + 18, f"{right * share:g}", "middle"))
        body.append(_text(LEFT - 8, y + 4, f"{top * share:.2f}", "end"))
        body.append(f'<path d="M{LEFT},{y:.0f}H{WIDTH - 20}" stroke="#ddd"/>')
    for number, (name, curve) in enumerate(curves.items()):
        body += _curve(name, curve, COLOURS[number % len(COLOURS)], number, (right, top))
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    style = 'font-family="sans-serif" font-size="12"'
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>'
    return "\n".join([frame, '<path d="M0,0H640V360H0Z" fill="white"/>', *body, "</svg>", ""])


def _curve(
    name: str, curve: Sequence[Point], colour: str, number: int, limits: tuple[float, float]
) -> list[str]:
    places = [_place(point.at, point.cpu_ms, *limits) for point in curve]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    label = _text(WIDTH - 20, TOP + 16 * number, f"{name}, ms of processor per call", "end", colour)
    return [f'<polyline points="{line}" fill="none" stroke="{colour}"/>', *dots, label]


def _place(at: float, value: float, right: float, top: float) -> tuple[float, float]:
    x = LEFT + at / right * (WIDTH - LEFT - 20)
    y = HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)
    return x, y


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(text)}</text>"
