"""Two sets of cells: what of the old is in the new, which households move, who is split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.compare._crosswalk import cross, names_of, records
from geogrid.compare._layers import (
    Homes,
    in_frame_of,
    metric_crs,
    read_homes,
    read_layer_of,
    read_shape,
)
from geogrid.compare._lineage import Lineage, lineage_of
from geogrid.compare.overlay import greatest_widths_m, overlay, united
from geogrid.model.plan import GridPlan

if TYPE_CHECKING:
    from pyproj import CRS

    from geogrid.compare._layers import Layer, Limit
    from geogrid.compare.overlay import Overlay

__all__ = ["Comparison", "compare"]

Cells: TypeAlias = gpd.GeoDataFrame | tuple[GridPlan, str]

# Below five centimetres two borders are one: a planner's finest edit is twice that.
_SAME_BORDER_M = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What changed; "" as a code stands for ground that no cell of that side holds.

    Attributes
    ----------
    crosswalk
        ``old new households area_m2 share by old_name new_name``: what of each old cell is in
        which new one. ``share`` sums to 1 for every old code, by households where it has any,
        else by area (``by``).
    frame
        The changed ground for a map, most households first: ``from to households area_m2 width_m
        geometry``. Ground that keeps its cell, if renumbered too, is not in it.
    moved
        ``from to households``: those rows of ``frame`` in which somebody lives.
    splits, merges
        ``old new`` with a tuple of new codes, and ``new old`` with a tuple of old ones.
    unchanged
        Codes that keep their ground and their code.
    renumbered
        ``old new``: same ground, other code.
    redrawn
        ``old new households_out households_in area_out_m2 area_in_m2``: cells that go on with
        other borders.
    added, removed
        Codes of new cells mostly on ground that had none, and of old cells whose ground mostly
        has none now.
    heads
        ``old new head_before head_after`` of the cell that an old one mostly becomes, where they
        differ; empty unless both sides name heads.
    renamed
        ``old new name_before name_after`` of cells that go on under another name.
    notes
        Plain sentences about what was assumed or left out, with its size.
    """

    crosswalk: pd.DataFrame
    frame: gpd.GeoDataFrame
    moved: pd.DataFrame
    splits: pd.DataFrame
    merges: pd.DataFrame
    unchanged: tuple[str, ...]
    renumbered: pd.DataFrame
    redrawn: pd.DataFrame
    added: tuple[str, ...]
    removed: tuple[str, ...]
    heads: pd.DataFrame
    renamed: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether every old cell goes on with its ground, its code, its name and its head."""
        tables = (self.frame, self.renumbered, self.renamed, self.heads)
        return not self.added and not self.removed and all(table.empty for table in tables)

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain JSON values, without geometry."""
        tables = (
            "crosswalk", "moved", "splits", "merges", "renumbered", "redrawn", "renamed", "heads",
        )  # fmt: skip
        return {
            "is_unchanged": self.is_unchanged,
            "households_moved": int(self.moved["households"].sum()),
            "area_changed_m2": float(self.frame["area_m2"].sum()),
            "changed": records(self.frame.drop(columns="geometry")),
            **{name: records(getattr(self, name)) for name in tables},
            "unchanged": list(self.unchanged),
            "added": list(self.added),
            "removed": list(self.removed),
            "notes": list(self.notes),
        }


def compare(
    old: Cells,
    new: Cells,
    *,
    households: gpd.GeoDataFrame | None = None,
    limit: Limit | None = None,
    tolerance_m: float = _SAME_BORDER_M,
) -> Comparison:
    """Compare two sets of cells, of any number each.

    A cell goes on as the new one of the same code if the two share at least half of the smaller
    one's ground; else as the new one that got most of it, if most of that one came from it. Most
    is the mean of the shares of households and of area, or area alone where nobody lives; ties go
    to the same code, then to the lowest.

    Parameters
    ----------
    old, new
        Polygons with ``code`` (made where absent), ``name`` and ``head`` where known; or a plan
        and one of its area levels. Rows of one code are one cell.
    households
        Points with ``households`` (1 where absent). Each counts once: on a border in the cell of
        the lowest code. Without points two plans are compared by the households of their atoms.
    limit
        Compare only inside it.
    tolerance_m
        Changed ground in which nobody lives and no circle of this diameter fits is the same
        border drawn twice: it stays in the crosswalk and is summed up in a note.

    Returns
    -------
    Comparison
        Tables, and the changed ground.

    Raises
    ------
    InputError
        If a side has no polygon, a code is missing, or a household has no place.
    CrsError
        If only one side has a coordinate system.
    """
    before, after = _cells_of(old), _cells_of(new)
    crs = metric_crs(before)
    one, two = (
        read_layer_of(before, "the old layer", crs),
        read_layer_of(after, "the new layer", crs),
    )
    notes = [*one.notes, *two.notes]
    homes = _homes_of(old, new, households, crs, notes)
    shapes = [one.shapes, two.shapes]
    if limit is not None:
        ground = read_shape(limit, crs)
        shapes.append(np.array([ground], dtype=object))
        notes.append("ground outside the limit was left out")
        homes = _inside(homes, shapes[2], notes)
    faces = overlay(shapes)
    table, pair, lost = cross(faces, one, two, homes, limit=2 if limit is not None else None)
    if lost:
        notes.append(f"{lost} households lie in no cell of either side")
    notes += [
        note for number, side in enumerate((one, two)) for note in _overlaps(faces, number, side)
    ]
    lineage = lineage_of(table, one, two)
    frame = _changed_ground(table, pair, faces, lineage, (one, two), tolerance_m, notes)
    return _comparison(table, frame, lineage, one, two, tuple(notes))


def _cells_of(side: Cells) -> gpd.GeoDataFrame:
    if isinstance(side, gpd.GeoDataFrame):
        return side
    plan, level = side
    cells = plan.cells(level)
    return cells.assign(head=plan.cell_table.loc[cells["code"], "head"].to_numpy())


def _homes_of(
    old: Cells,
    new: Cells,
    households: gpd.GeoDataFrame | None,
    crs: CRS | None,
    notes: list[str],
) -> Homes:
    """Take the points given, else the atoms of the plan that has more of them with households."""
    plans = [side[0] for side in (old, new) if not isinstance(side, gpd.GeoDataFrame)]
    if households is not None or not plans:
        if households is None:
            notes.append("no household points were given: shares are by area, nobody is counted")
        return read_homes(households, crs)
    lived_in = [plan.atoms.frame.query("households > 0") for plan in plans]
    atoms = max(lived_in, key=len)
    notes.append("households were counted at an inner point of their atom")
    return read_homes(
        in_frame_of(atoms.set_geometry(atoms.representative_point()), crs, "plan"), crs
    )


def _inside(homes: Homes, limit: np.ndarray[Any, Any], notes: list[str]) -> Homes:
    is_inside = homes.cells_of(limit) >= 0
    if not is_inside.all():
        out = int(homes.counts[~is_inside].sum())
        notes.append(f"{out} households lie outside the limit and were left out")
    return Homes(homes.points[is_inside], homes.counts[is_inside])


def _overlaps(faces: Overlay, number: int, side: Layer) -> list[str]:
    """Say where cells of one side overlap: a note, since the shares cannot show it."""
    twice = faces.overlapped(number)
    if not len(twice):
        return []
    area = float(shapely.area(faces.faces[twice]).sum())
    return [f"{side.name}: cells overlap on {area:.1f} m²: check it first"]


def _changed_ground(
    table: pd.DataFrame,
    pair: pd.DataFrame,
    faces: Overlay,
    lineage: Lineage,
    sides: tuple[Layer, Layer],
    tolerance_m: float,
    notes: list[str],
) -> gpd.GeoDataFrame:
    """Return the ground that changes its cell; what is thinner than the tolerance is a note."""
    is_kept = lineage.goes_on(table["old"].to_numpy(), table["new"].to_numpy())
    rows = table[~is_kept & ((table["area_m2"] > 0) | (table["households"] > 0))].copy()
    keys = ["old", "new"]
    touched = pair.merge(rows[keys], on=keys)
    touched["width_m"] = greatest_widths_m(faces.faces[touched["face"].to_numpy()])
    members = touched.groupby(keys)["face"].agg(list).to_dict()
    widths = touched.groupby(keys)["width_m"].max().to_dict()
    pairs = list(zip(rows["old"], rows["new"], strict=True))
    frame = gpd.GeoDataFrame(
        {
            "from": names_of(sides[0].codes, rows["old"]),
            "to": names_of(sides[1].codes, rows["new"]),
            "households": rows["households"].to_numpy(),
            "area_m2": rows["area_m2"].to_numpy(),
            "width_m": [float(widths.get(key, 0.0)) for key in pairs],
        },
        geometry=[united(faces.faces[members.get(key, [])]) for key in pairs],
        crs=sides[0].crs,
    )
    is_same = (frame["width_m"] <= tolerance_m) & (frame["households"] == 0)
    if is_same.any():
        area = frame.loc[is_same, "area_m2"].sum()
        notes.append(
            f"{int(is_same.sum())} changes no wider than {tolerance_m:g} m in which nobody lives, "
            f"{area:.2f} m² together, count as the same border"
        )
    order = ["households", "area_m2", "from", "to"]
    kept = frame[~is_same].sort_values(order, ascending=[False, False, True, True])
    return kept.reset_index(drop=True)


def _comparison(
    table: pd.DataFrame,
    frame: gpd.GeoDataFrame,
    lineage: Lineage,
    one: Layer,
    two: Layer,
    notes: tuple[str, ...],
) -> Comparison:
    redrawn = _redrawn(lineage, frame, one, two)
    changed = set(redrawn["old"])
    pairs = [(one.codes[old], two.codes[new]) for old, new in lineage.continued()]
    same = [pair for pair in pairs if pair[0] not in changed]
    crosswalk = pd.DataFrame(
        {
            "old": names_of(one.codes, table["old"]),
            "new": names_of(two.codes, table["new"]),
            "households": table["households"],
            "area_m2": table["area_m2"],
            "share": table["share"],
            "by": table["by"],
            "old_name": names_of(one.text("name"), table["old"]),
            "new_name": names_of(two.text("name"), table["new"]),
        }
    )
    is_moved = frame["households"] > 0
    renumbered = [pair for pair in same if pair[0] != pair[1]]
    return Comparison(
        crosswalk=crosswalk,
        frame=frame,
        moved=pd.DataFrame(frame.loc[is_moved, ["from", "to", "households"]]),
        splits=lineage.splits(one.codes, two.codes),
        merges=lineage.merges(one.codes, two.codes),
        unchanged=tuple(old for old, new in same if old == new),
        renumbered=pd.DataFrame(renumbered, columns=["old", "new"], dtype=object),
        redrawn=redrawn,
        added=tuple(two.codes[lineage.main_old < 0]),
        removed=tuple(one.codes[lineage.main_new < 0]),
        heads=_changed_facts("head", np.flatnonzero(lineage.main_new >= 0), lineage, one, two),
        renamed=_changed_facts(
            "name", np.array([old for old, _ in lineage.continued()], np.int64), lineage, one, two
        ),
        notes=notes,
    )


def _redrawn(lineage: Lineage, frame: gpd.GeoDataFrame, one: Layer, two: Layer) -> pd.DataFrame:
    pairs = np.array(lineage.continued(), dtype=np.int64).reshape(-1, 2)
    table = pd.DataFrame({"old": one.codes[pairs[:, 0]], "new": two.codes[pairs[:, 1]]})
    is_touched = table["old"].isin(frame["from"]) | table["new"].isin(frame["to"])
    table = table[is_touched].reset_index(drop=True)
    for column, name in (("households", "households_{}"), ("area_m2", "area_{}_m2")):
        for side, way, code in (("from", "out", "old"), ("to", "in", "new")):
            sums = frame.groupby(side)[column].sum()
            table[name.format(way)] = sums.reindex(table[code], fill_value=0).to_numpy()
    return table


def _changed_facts(
    fact: str, olds: npt.NDArray[np.int64], lineage: Lineage, one: Layer, two: Layer
) -> pd.DataFrame:
    """Compare a column of some old cells with that of the cells that they mostly become."""
    columns = ["old", "new", f"{fact}_before", f"{fact}_after"]
    if fact not in one.facts or fact not in two.facts:
        return pd.DataFrame(columns=columns)
    news = lineage.main_new[olds]
    values = (one.codes[olds], two.codes[news], one.text(fact)[olds], two.text(fact)[news])
    table = pd.DataFrame(dict(zip(columns, values, strict=True)))
    return table[table[columns[2]] != table[columns[3]]].reset_index(drop=True)
