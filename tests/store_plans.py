"""Plans for the tests of the store: a city of any size, and a small plan with everything."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.spatial import Voronoi

from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import Contract

_STEP_M, _BENDS, _MARGIN = 30.0, 2, 3
GAUSS = CRS.from_epsg(4547)
_ORIGIN = np.array([411_309.123, 3_076_603.457])
# Levels coarse to fine, and how many columns and rows of the finest cells one cell takes.
_LEVELS = (("part", 48), ("community", 12), ("grid", 4), ("micro", 1))


def wavy_atoms(columns, rows, *, seed=1, step_m=_STEP_M):
    """Jittered Voronoi faces whose borders have bends; ``columns`` x ``rows`` of them."""
    rng = np.random.default_rng(seed)
    wide, high = columns + 2 * _MARGIN, rows + 2 * _MARGIN
    x, y = (one.ravel() for one in np.meshgrid(np.arange(wide), np.arange(high)))
    points = (np.column_stack((x, y)) + rng.uniform(0.35, 0.65, (wide * high, 2))) * step_m
    diagram = Voronoi(points)
    kept = np.flatnonzero(
        (x >= _MARGIN) & (x < wide - _MARGIN) & (y >= _MARGIN) & (y < high - _MARGIN)
    )
    regions = [diagram.regions[diagram.point_region[one]] for one in kept]
    size = np.array([len(region) for region in regions])
    tail = np.concatenate([np.array(region) for region in regions])
    stop = np.cumsum(size)
    after = np.arange(1, len(tail) + 1)
    after[stop - 1] = stop - size
    head = tail[after]
    shapes = _bent(diagram.vertices + _ORIGIN, tail, head, np.repeat(np.arange(len(size)), size))
    return shapes, x[kept] - _MARGIN, y[kept] - _MARGIN


def _bent(places, tail, head, owner):
    """Polygons whose every edge has bends at the same places from both sides."""
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    along = places[high] - places[low]
    side = np.column_stack((-along[:, 1], along[:, 0])) * 0.04
    share = np.arange(1, _BENDS + 1) / (_BENDS + 1)
    sign = np.where(np.arange(_BENDS) % 2, 1, -1)
    bends = (
        places[low][:, None]
        + share[None, :, None] * along[:, None]
        + sign[None, :, None] * side[:, None]
    )
    bends = np.where((tail > head)[:, None, None], bends[:, ::-1], bends)
    ring = np.concatenate((places[tail][:, None], bends), axis=1)
    ring = np.round(ring.reshape(-1, 2), 3)
    index = np.repeat(owner, _BENDS + 1)
    return shapely.polygons(shapely.linearrings(ring, indices=index))


def city_plan(columns=256, rows=250, *, seed=1, step_m=_STEP_M):
    """A plan of ``columns * rows / 2`` finest cells in four nested levels."""
    shapes, x, y = wavy_atoms(columns, rows, seed=seed, step_m=step_m)
    ids = [f"a{column:03d}{row:03d}" for column, row in zip(x, y, strict=True)]
    counts = np.random.default_rng(seed).integers(0, 30, len(ids))
    frame = gpd.GeoDataFrame(
        {"atom_id": ids, "households": counts, "kind": "block"},
        geometry=shapes,
        crs=GAUSS,
    )
    atoms = Atoms.from_frame(frame)
    labels = pd.DataFrame(
        {
            key: [f"{column // (2 * size):03d}{row // size:03d}{at}" for column, row in
                  zip(x, y, strict=True)]
            for at, (key, size) in enumerate(_LEVELS)
        },
        index=pd.Index(atoms.frame["atom_id"], name="atom_id"),
        dtype="str",
    )  # fmt: skip
    levels = tuple(Level(key=key, name=f"{key}级") for key, _ in _LEVELS)
    return GridPlan(
        district=District(limit=atoms.limit, crs=frame.crs, name="大城", code="430203"),
        scheme=Scheme(key="city", title="大城", levels=levels),
        atoms=atoms,
        labels=labels,
        cell_table=cell_table(labels),
    )


def cell_table(labels):
    """Facts of the cells that labels name."""
    tables = []
    above = None
    for key in labels.columns:
        first = labels.drop_duplicates(key).sort_values(key)
        tables.append(
            pd.DataFrame(
                {
                    "level": key,
                    "name": "第" + first[key] + "格",
                    "kind": "普通",
                    "parent": "" if above is None else first[above],
                    "head": "",
                }
            ).set_index(pd.Index(first[key].to_numpy(), name="code"))
        )
        above = key
    return pd.concat(tables).astype("str")


def moved(plan, row, *, key="micro"):
    """The plan after one atom went to the cell of a neighbouring row with the same parent."""
    keys = [level.key for level in plan.scheme.area_levels]
    codes = plan.labels[key].to_numpy(object).copy()
    above = plan.labels[keys[keys.index(key) - 1]].to_numpy(object)
    other = np.flatnonzero((above == above[row]) & (codes != codes[row]))
    middles = shapely.centroid(plan.atoms.frame.geometry.to_numpy())
    near = shapely.distance(middles[other], middles[row])
    codes[row] = codes[other[np.argmin(near)]]
    column = pd.Series(codes, index=plan.labels.index, dtype="str")
    labels = plan.labels.assign(**{key: column})
    table = plan.cell_table
    gone = sorted(set(plan.labels[key]) - set(codes))
    return replace(plan, labels=labels, cell_table=table.drop(index=gone), certificate=None)


def renamed(plan, code, name):
    """The plan with another name of a cell."""
    table = plan.cell_table.copy()
    table.loc[code, "name"] = name
    return replace(plan, cell_table=table, certificate=None)


def cut(plan, row):
    """The plan after an upright square inside was cut in two; its neighbours get the nodes."""
    frame = plan.atoms.frame
    low_x, low_y, high_x, high_y = frame.geometry.iloc[row].bounds
    middle = round((low_x + high_x) / 2, 3)
    halves = [
        shapely.box(low_x, low_y, middle, high_y), shapely.box(middle, low_y, high_x, high_y)
    ]  # fmt: skip
    kept = frame.copy()
    shapes = frame.geometry.to_numpy().copy()
    for end in ((middle, low_y), (middle, high_y)):
        near = shapely.dwithin(shapes, shapely.Point(end), 0.0005)
        shapes[near] = [_with_node(shape, end) for shape in shapes[near]]
    shapes[row] = halves[0]
    kept = kept.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    piece = frame.iloc[[row]].assign(atom_id=f"{frame['atom_id'].iloc[row]}-2", households=0)
    piece = piece.set_geometry(gpd.GeoSeries(halves[1:], index=piece.index, crs=frame.crs))
    both = pd.concat([kept, piece], ignore_index=True)
    labels = pd.concat([plan.labels, plan.labels.iloc[[row]]])
    labels.index = pd.Index(both["atom_id"], name="atom_id")
    return replace(plan, atoms=replace(plan.atoms, frame=both), labels=labels, certificate=None)


def _with_node(shape, node):
    """A polygon of upright edges with one more vertex."""
    ring = list(shape.exterior.coords)
    for at, ((x0, y0), (x1, y1)) in enumerate(pairwise(ring)):
        if y0 == y1 == node[1] and min(x0, x1) < node[0] < max(x0, x1):
            return shapely.Polygon([*ring[: at + 1], node, *ring[at + 1 :]])
    return shape


RICH_SCHEME = Scheme(
    key="rich",
    title="试行",
    source="a text",
    levels=(
        Level(key="community", name="社区", aliases=("村",), kinds=("社区", "村")),
        Level(
            key="micro",
            name="微网格",
            band=HouseholdBand(low=1, high=None, is_hard=True, is_assumption=True),
            kinds=("普通", "专属"),
            head_title="网格长",
        ),
        Level(key="lin", name="邻", contract=Contract.ROSTER),
    ),
)


def rich_plan(*, crs=GAUSS):
    """Six squares, two levels, a list of households, lines, history, cuts and notes."""
    low = shapely.box(*np.repeat([_ORIGIN], 2, axis=0).ravel())
    x0, y0 = low.bounds[:2]
    shapes = [
        shapely.box(x0 + 100.1 * x, y0 + 33.3 * y, x0 + 100.1 * (x + 1), y0 + 33.3 * (y + 1))
        for y in range(2)
        for x in range(3)
    ]
    shapes = shapely.transform(shapes, lambda xy: np.round(xy, 3))
    ids = [f"a{at}" for at in range(6)]
    frame = gpd.GeoDataFrame(
        {"atom_id": ids, "households": [2, 3, 4, 5, 6, 7], "merchants": range(6), "kind": "街块"},
        geometry=shapes,
        crs=crs,
    )
    lines = [shapely.LineString([(x0, y0), (x0 + 1 / 3, y0 + 100)])]
    barriers = gpd.GeoDataFrame({"kind": ["river"]}, geometry=lines, crs=crs)
    atoms = Atoms.from_frame(frame.drop(columns="merchants"), barriers=barriers)
    atoms = replace(
        atoms,
        frame=atoms.frame.assign(merchants=frame["merchants"].to_numpy(np.int64)),
        cut_buildings=pd.DataFrame({"building": ["w1"], "reason": ["larger"], "share": [1 / 3]}),
    )
    labels = pd.DataFrame(
        {"community": ["01"] * 6, "micro": ["0101", "0101", "0102", "0101", "0102", "0102"]},
        index=pd.Index(atoms.frame["atom_id"], name="atom_id"),
        dtype="str",
    )
    roster = pd.DataFrame(
        {
            "code": ["0101A", "0101A", "0101A", "0102A", "0102A", "0102A"],
            "household_id": [f"h{at}" for at in (0, 1, 3, 2, 4, 5)],
            "households": np.array([2, 3, 5, 4, 6, 7], dtype=np.int64),
            "atom_id": ["a0", "a1", "a3", "a2", "a4", "a5"],
        }
    ).astype({"code": "str", "household_id": "str", "atom_id": "str"})
    rows = [
        ("01", "community", "红旗社区", "社区", "", ""),
        ("0101", "micro", "第一微网格", "普通", "01", "王"),
        ("0102", "micro", "第二微网格", "专属", "01", ""),
        ("0101A", "lin", "一邻", "普通", "0101", "李"),
        ("0102A", "lin", "二邻", "普通", "0102", ""),
    ]
    names = ["code", "level", "name", "kind", "parent", "head"]
    history = pd.DataFrame(
        [("0109", "micro", "01", "v0", "v0", "0101 0102", "")],
        columns=["code", "level", "parent", "from_version", "to_version", "successors", "origins"],
        dtype="str",
    )
    return GridPlan(
        district=District(
            limit=atoms.limit, crs=crs, name="芦淞区", code="430203", admin_rank="区"
        ),
        scheme=RICH_SCHEME,
        atoms=atoms,
        labels=labels,
        cell_table=pd.DataFrame(rows, columns=names, dtype="str").set_index("code"),
        sources=(Source(role="limit", name="a.geojson", datum="gcj02", licence="ODbL"),),
        version="v2",
        parent_version="v1",
        code_history=history,
        rosters={"lin": roster},
        notes=("一句话 a sentence",),
    )


def square_plan(columns=8, rows=8, *, crs=GAUSS):
    """Squares of 100 m in two levels: micro cells of two by one, communities of four by four."""
    x, y = (one.ravel() for one in np.meshgrid(np.arange(columns), np.arange(rows)))
    low_x, low_y = _ORIGIN[0] + 100 * x, _ORIGIN[1] + 100 * y
    shapes = shapely.transform(
        shapely.box(low_x, low_y, low_x + 100, low_y + 100), lambda xy: np.round(xy, 3)
    )
    ids = [f"a{column:02d}{row:02d}" for column, row in zip(x, y, strict=True)]
    counts = (3 * x + 5 * y) % 7 + 1
    frame = gpd.GeoDataFrame(
        {"atom_id": ids, "households": counts, "kind": "block"}, geometry=shapes, crs=crs
    )
    atoms = Atoms.from_frame(frame)
    labels = pd.DataFrame(
        {
            "community": [f"{a // 4:02d}{b // 4:02d}" for a, b in zip(x, y, strict=True)],
            "micro": [f"{a // 4:02d}{b // 4:02d}{a // 2:02d}{b:02d}" for a, b in
                      zip(x, y, strict=True)],
        },
        index=pd.Index(atoms.frame["atom_id"], name="atom_id"),
        dtype="str",
    )  # fmt: skip
    levels = (Level(key="community", name="社区"), Level(key="micro", name="微网格"))
    return GridPlan(
        district=District(limit=atoms.limit, crs=crs, name="方城", code="430203"),
        scheme=Scheme(key="squares", title="方城", levels=levels),
        atoms=atoms,
        labels=labels,
        cell_table=cell_table(labels),
    )
