"""Borders of cells as arcs: each border once, from node to node, with who lies on either side."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import Transformer

from geogrid.planar.edges import directed_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy.typing as npt
    from pyproj import CRS

    from geogrid.model.plan import GridPlan

__all__ = ["arcs_of"]

# A tenth of a millimetre: commands find a vertex by its place again.
_DECIMALS = 9
_THROUGH = 2
_LIMIT = ""
_TREE = "tree of the finest cells"


def arcs_of(plan: GridPlan, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return the borders of some cells of the finest level.

    Parameters
    ----------
    plan
        A plan with a coordinate system.
    rows
        Rows of the finest level's cells.

    Returns
    -------
    list of dict
        ``id``; ``level`` (key of the coarsest level whose border it is); ``left`` and ``right``
        (codes of the finest cells, "" outside of the district);
        ``coordinates`` in degrees; ``nodes``, whether borders meet at each of them.
    """
    whole = plan.cells(plan.scheme.area_levels[-1].key)
    asked = set(whole["code"].iloc[list(rows)])
    cells = _with_neighbours(plan, whole, rows)
    edges = directed_edges(cells.geometry.to_numpy())
    codes = [*cells["code"].tolist(), _LIMIT]
    sides = _sides(edges.tail, edges.head, edges.owner, len(codes) - 1)
    runs = _chained(sides)
    places = _degrees(plan, (edges.xy + edges.origin) / 1000)
    node = _nodes(sides, len(edges.xy))
    levels = _Levels(plan, set(codes))
    return [
        {
            "id": f"{codes[left] or '-'}|{codes[right] or '-'}|{number}",
            "level": levels.coarsest(codes[left], codes[right]),
            "left": codes[left],
            "right": codes[right],
            "coordinates": places[run].tolist(),
            "nodes": node[run].tolist(),
        }
        for number, (left, right, run) in enumerate(runs)
        if codes[left] in asked or codes[right] in asked
    ]


def _with_neighbours(
    plan: GridPlan, cells: gpd.GeoDataFrame, rows: Sequence[int]
) -> gpd.GeoDataFrame:
    """Return some cells and all whose boxes meet theirs."""
    tree = plan.recalled(_TREE)
    if not isinstance(tree, shapely.STRtree):
        tree = shapely.STRtree(cells.geometry.to_numpy())
        plan.keep(_TREE, tree)
    shapes = cells.geometry.to_numpy()[list(rows)]
    boxes = shapely.box(*shapely.bounds(shapes).T)
    return cells.iloc[np.unique(tree.query(boxes)[1])]


def _sides(
    tail: npt.NDArray[np.int64], head: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int64], outside: int,
) -> dict[tuple[int, int], tuple[int, int]]:  # fmt: skip
    """Return left and right owner of every edge, walked as its left owner walks it."""
    left = {
        (a, b): who for a, b, who in zip(tail.tolist(), head.tolist(), owner.tolist(), strict=True)
    }
    return {
        (a, b): (who, left.get((b, a), outside))
        for (a, b), who in left.items()
        if (b, a) not in left or a < b
    }


def _nodes(sides: dict[tuple[int, int], tuple[int, int]], count: int) -> npt.NDArray[np.bool_]:
    ends = np.array([one for edge in sides for one in edge], dtype=np.int64)
    found: npt.NDArray[np.bool_] = np.bincount(ends, minlength=count) != _THROUGH
    return found


def _chained(
    sides: dict[tuple[int, int], tuple[int, int]],
) -> list[tuple[int, int, list[int]]]:
    """Join edges with the same two sides to runs; a run ends where another border begins."""
    degree: dict[int, int] = defaultdict(int)
    for a, b in sides:
        degree[a] += 1
        degree[b] += 1
    # Every edge with the lower owner on its left, so that neighbours walk one way.
    pairs: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(dict)
    for (a, b), (left, right) in sides.items():
        start, stop = (a, b) if left < right else (b, a)
        pairs[min(left, right), max(left, right)].setdefault(start, []).append(stop)
    runs = []
    for (left, right), after in sorted(pairs.items()):
        runs += [(left, right, run) for run in _runs(after, degree)]
    return runs


def _runs(after: dict[int, list[int]], degree: dict[int, int]) -> list[list[int]]:
    left = {start: list(stops) for start, stops in after.items()}
    # First from nodes on, then closed rings that meet no third cell.
    firsts = [start for start in after if degree[start] != _THROUGH]
    runs = []
    for first in [*firsts, *after]:
        while left.get(first):
            run = [first]
            while left.get(run[-1]) and (len(run) == 1 or degree[run[-1]] == _THROUGH):
                run.append(left[run[-1]].pop())
            runs.append(run)
    return runs


def _degrees(plan: GridPlan, xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    to_globe = _to_degrees(plan.district.crs)
    return np.column_stack(to_globe.transform(xy[:, 0], xy[:, 1])).round(_DECIMALS)


@lru_cache(maxsize=16)
def _to_degrees(crs: CRS) -> Transformer:
    return Transformer.from_crs(crs, 4326, always_xy=True)


class _Levels:
    """Chains of cells from the finest to the coarsest."""

    def __init__(self, plan: GridPlan, codes: set[str]) -> None:
        keys = [level.key for level in plan.scheme.area_levels]
        finest = plan.labels[keys[-1]].to_numpy(object).tolist()
        rows: dict[str, int] = {}
        for row, code in enumerate(finest):
            if code in codes:
                rows.setdefault(code, row)
        firsts = plan.labels[keys].iloc[list(rows.values())]
        self._keys = keys
        self._chain = {row[-1]: row for row in firsts.itertuples(index=False, name=None)}

    def coarsest(self, left: str, right: str) -> str:
        """Return the coarsest level at which two cells differ."""
        if not left or not right:
            return self._keys[0]
        pair = zip(self._keys, self._chain[left], self._chain[right], strict=True)
        return next(key for key, one, other in pair if one != other)
