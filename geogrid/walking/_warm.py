"""Get all compiled loops of this package ready: those of the search and those that draw."""

from __future__ import annotations

import numba
import numpy as np
import shapely

from geogrid.planar.compiling import can_keep, in_second_process, is_kept
from geogrid.walking import _kernels
from geogrid.walking._closing import close
from geogrid.walking.circles import Pen, draw_circles
from geogrid.walking.field import Field
from geogrid.walking.inputs import Placed
from geogrid.walking.search import Streets, search
from geogrid.walking.snap import EdgeIndex

__all__ = ["draw_once", "warm"]


def warm() -> None:
    """Get the compiled loops ready; meant for a thread that runs while files are read.

    Compiling holds the interpreter, so it is done in a second process, once after installation.
    Where nothing can be kept on disk, nothing is done.
    """
    _kernels.warm()
    if can_keep(close) and not _is_kept():
        in_second_process("from geogrid.walking import _warm; _warm.draw_once()")


def _is_kept() -> bool:
    """Tell whether the loop that is compiled last is there."""
    values, walled = np.zeros((1, 1), np.int16), np.zeros((1, 1), np.bool_)
    signature = tuple(numba.typeof(one) for one in (values, walled, 1.0, 1.0))
    return is_kept(close, signature)


def draw_once() -> None:
    """Draw one circle, which uses every loop that draws."""
    street = np.array([shapely.LineString([(0, 0), (100, 0)])], dtype=object)
    metres, oneway = np.array([100.0]), np.array([False])
    first = np.zeros(1, np.int32)
    streets = Streets(u=first, v=first + 1, length_m=metres, oneway=oneway, nodes=2)
    index = EdgeIndex(geometry=street, length_m=metres, oneway=oneway, is_usable=~oneway)
    points = shapely.points([[50.0, 5.0]])
    starts = Placed(points=points, spots=index.snap(points, max_snap_m=50))
    found = list(search(streets, starts.spots, 20.0))
    pen = Pen(field=Field.of(index, 5.0), limits_m=(20.0,), longest_leg_m=50.0, look="display")
    draw_circles(pen, streets, found, starts, is_turned=False)
