"""The map of a picture of circles: what lies under them, scale, north, and who is where.

Only matplotlib draws it, and only its parts without a window: no display is needed.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import OutputError
from geogrid.maps.service import limit_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

    from geogrid.model.extract import OsmExtract
    from geogrid.model.reach import Reach

__all__ = ["INK", "SOFT", "WARN", "Backdrop", "draw_map", "picture", "require_drawing"]

# Any of them draws simplified Chinese; the first that is installed is taken.
_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "SimHei", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Noto Sans CJK JP", "Noto Serif CJK SC", "Noto Serif CJK JP", "SimSun",
)  # fmt: skip

_INCHES, _DPI = (8.0, 9.4), 150
# Largest limit first, so that smaller circles lie on top.
_FILLS = ("#d7e8d4", "#a9d0a2", "#6fb06a", "#3f8a45", "#1f6130")
_STREET, _WATER, _RAIL, _HOUSE = "#b9bec4", "#c9def0", "#8d8d8d", "#e9e6e1"
INK, SOFT, WARN = "#1d2329", "#59636e", "#a8430f"
_PLACE = "#c0392b"
_MARGIN_M, _LEAST_M = 80.0, 300.0
_SCALES_M = (50, 100, 200, 250, 500, 1000, 2000, 5000, 10000)
_PAPER = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
_LINES, _AREA = (1, 2), 3


def require_drawing() -> str:
    """Return the font that pictures are written in.

    Raises
    ------
    OutputError
        If matplotlib, or every font with Chinese signs, is missing.
    """
    try:
        from matplotlib import font_manager  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        msg = "drawing pictures needs matplotlib: pip install geogrid[pictures]"
        raise OutputError(msg) from error
    there = {font.name for font in font_manager.fontManager.ttflist}
    for name in _FONTS:
        if name in there:
            return name
    msg = (
        "no font here has Chinese signs, so pictures would be full of boxes: install Noto Sans CJK "
        "(Debian: apt install fonts-noto-cjk)"
    )
    raise OutputError(msg)


class Backdrop:
    """What lies under the circles, found by place."""

    def __init__(self, reach: Reach, extract: OsmExtract | None) -> None:
        layers: list[tuple[Any, dict[str, Any]]] = []
        if extract is not None:
            waters = extract.waters
            waters = waters[~waters["is_tunnel"].to_numpy(dtype=bool)]
            rails = extract.rails[~extract.rails["is_tunnel"].to_numpy(dtype=bool)]
            layers = [
                (waters.geometry, {"color": _WATER, "linewidth": 1.2}),
                (extract.buildings.geometry, {"color": _HOUSE, "linewidth": 0}),
                (rails.geometry, {"color": _RAIL, "linewidth": 1.0, "linestyle": (0, (6, 3))}),
            ]
        self.under = [(gpd.GeoSeries(shapes), look) for shapes, look in layers]
        self.streets = gpd.GeoSeries(reach.network.geometry, crs=reach.network.crs)

    def near(self, shapes: gpd.GeoSeries, view: shapely.Polygon) -> gpd.GeoSeries:
        """Return the parts of shapes inside a view."""
        rows = np.sort(shapes.sindex.query(view, predicate="intersects"))
        clipped = shapely.clip_by_rect(shapes.to_numpy()[rows], *view.bounds)
        return gpd.GeoSeries(clipped[~shapely.is_empty(clipped)], crs=shapes.crs)


def _view(shapes: Sequence[shapely.Geometry]) -> shapely.Polygon:
    """Return a square around shapes."""
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object))
    half = max(east - west, north - south) / 2 + _MARGIN_M
    half = max(half, _LEAST_M)
    x, y = (west + east) / 2, (south + north) / 2
    square: shapely.Polygon = shapely.box(x - half, y - half, x + half, y + half)
    return square


def picture(paint: Callable[[Figure, Axes], None]) -> bytes:
    """Return a picture as PNG.

    Parameters
    ----------
    paint
        Fills the figure and the axes of its map.

    Raises
    ------
    OutputError
        If matplotlib or a font with Chinese signs is missing.
    """
    font = require_drawing()
    from matplotlib import rc_context  # noqa: PLC0415 - an optional dependency
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - optional
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    with rc_context({"font.family": font, "axes.unicode_minus": False}):
        figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.04, 0.185, 0.92, 0.715))
        paint(figure, axes)
        out = io.BytesIO()
        # The file does not name the program, so that it is the same each time.
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def draw_map(
    axes: Axes,
    circles: gpd.GeoDataFrame,
    streets: gpd.GeoSeries,
    places: Sequence[shapely.Geometry],
    backdrop: Backdrop,
) -> None:
    """Draw circles, reached streets and stations, with scale, north and a legend.

    Parameters
    ----------
    axes
        Where.
    circles
        With ``metres``, and ``minutes`` where they were asked for.
    streets
        Reached pieces of streets.
    places
        The stations.
    backdrop
        What lies under them.
    """
    view = _view([*places, *circles.geometry.to_numpy()])
    west, south, east, north = view.bounds
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for shapes, look in backdrop.under:
        _plot(backdrop.near(shapes, view), axes, **look)
    order = np.argsort(-circles["metres"].to_numpy(), kind="stable")
    for fill, at in zip(_fills(len(order)), order.tolist(), strict=True):
        circle = gpd.GeoSeries(circles.geometry.iloc[[at]])
        _plot(circle, axes, color=fill, alpha=0.75, linewidth=0)
        _plot(circle.boundary, axes, color=_FILLS[-1], linewidth=1.1)
    _plot(backdrop.near(backdrop.streets, view), axes, color=_STREET, linewidth=0.8)
    _plot(streets, axes, color=_FILLS[3], linewidth=1.0)
    x, y = shapely.get_coordinates(np.array(places, dtype=object)).T
    size = 17 if len(places) == 1 else 9
    axes.plot(x, y, linestyle="", marker="*", markersize=size, color=_PLACE,
              markeredgecolor="white", zorder=9)  # fmt: skip
    _legend(axes, circles)
    _scale_bar(axes, view)
    _north(axes)


def _legend(axes: Axes, circles: gpd.GeoDataFrame) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415 - an optional dependency

    falling = circles.sort_values("metres", ascending=False)
    unit = "minutes" if "minutes" in circles else "metres"
    labels = [limit_label({unit: limit}) for limit in falling[unit]]
    keys = [
        Patch(facecolor=fill, edgecolor=_FILLS[-1], label=label)
        for fill, label in zip(_fills(len(labels)), labels, strict=True)
    ]
    if keys:
        axes.legend(handles=keys[::-1], loc="upper left", fontsize=9, framealpha=0.8)


def _plot(shapes: gpd.GeoSeries, axes: Axes, *, color: str, **look: Any) -> None:  # noqa: ANN401
    """Draw lines and areas; geopandas would draw the whole picture again for each layer."""
    from matplotlib.collections import LineCollection, PathCollection  # noqa: PLC0415 - optional

    parts = shapely.get_parts(shapely.get_parts(shapes.to_numpy()))
    kind = shapely.get_type_id(parts)
    lines = [shapely.get_coordinates(part) for part in parts[np.isin(kind, _LINES)]]
    areas = [_outline(part) for part in parts[kind == _AREA]]
    if lines:
        axes.add_collection(LineCollection(lines, colors=color, **look), autolim=False)
    if areas:
        axes.add_collection(PathCollection(areas, facecolors=color, **look), autolim=False)


def _outline(area: shapely.Polygon) -> Path:
    """Return shell and holes as one path, holes turned the other way round."""
    from matplotlib.path import Path  # noqa: PLC0415 - an optional dependency

    rings = [area.exterior.normalize(), *(ring.normalize().reverse() for ring in area.interiors)]
    return Path.make_compound_path(*(Path(ring.coords, closed=True) for ring in rings))


def _fills(count: int) -> list[str]:
    """Return a colour a circle, the largest palest."""
    return [_FILLS[min(number, len(_FILLS) - 1)] for number in range(count)]


def _scale_bar(axes: Axes, view: shapely.Polygon) -> None:
    west, south, east, _ = view.bounds
    wide = east - west
    metres = max((step for step in _SCALES_M if step <= wide / 4), default=_SCALES_M[0])
    x, y = west + wide * 0.04, south + wide * 0.04
    axes.plot([x, x + metres], [y, y], color=INK, linewidth=3, solid_capstyle="butt", zorder=9)
    label = f"{metres} 米" if metres < 1000 else f"{metres // 1000} 千米"  # noqa: PLR2004
    axes.text(x + metres / 2, y + wide * 0.012, label, ha="center", fontsize=9, color=INK,
              zorder=9, bbox=_PAPER)  # fmt: skip


def _north(axes: Axes) -> None:
    """Draw an arrow up: grid north of the frame, which maps of a district call north."""
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.6}
    axes.annotate("", (0.955, 0.965), (0.955, 0.895), xycoords="axes fraction",
                  arrowprops=arrow)  # fmt: skip
    axes.text(0.955, 0.872, "北 N", transform=axes.transAxes, ha="center", fontsize=9,
              color=INK, bbox=_PAPER)  # fmt: skip
