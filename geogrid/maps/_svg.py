"""Shapes and texts of an SVG picture, written by hand: no library draws them."""

from __future__ import annotations

import html

__all__ = ["FONT", "INK", "SOFT", "box", "line", "text", "width_of"]

FONT = (
    "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',"
    "sans-serif"
)
INK, SOFT = "#1f2933", "#5b6773"


def box(
    x: float, y: float, width: float, height: float, fill: str, *, more: str = "", tip: str = ""
) -> str:
    """Return a rectangle; ``tip`` shows under the mouse."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    inner = f"<title>{html.escape(tip)}</title>" if tip else ""
    return f'<rect {place} fill="{fill}" {more}>{inner}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = SOFT, more: str = "") -> str:
    """Return a straight line."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" {more}/>'
    )


def text(
    x: float, y: float, words: str, *, size: float = 13, fill: str = INK, more: str = ""
) -> str:
    """Return one line of text; ``x`` is its start unless ``more`` says otherwise."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" {more}>'
        f"{html.escape(words)}</text>"
    )


def width_of(words: str, size: float) -> float:
    """Estimate how wide a text is: a Chinese sign is as wide as it is high."""
    return sum(size * (0.56 if sign.isascii() else 1.0) for sign in words)
