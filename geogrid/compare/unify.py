"""Several departments' layers of cells made one coverage (多网合一)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.compare._conflicts import conflicts_of
from geogrid.compare._crosswalk import add_shares, names_of, records
from geogrid.compare._layers import metric_crs, read_homes, read_layer_of, read_shape
from geogrid.compare.overlay import fill, is_wider, overlay, pieces_of, united
from geogrid.coverage import verify_coverage
from geogrid.errors import CoverageError, InputError
from geogrid.planar.edges import dissolve, rook_pairs
from geogrid.planar.lattice import GRID_M

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS
    from shapely.geometry import MultiPolygon

    from geogrid.compare._layers import Homes, Layer, Limit
    from geogrid.compare.overlay import Overlay
    from geogrid.model.report import CoverageReport

__all__ = ["Unification", "unify"]

# Nobody lives in a strip of two metres: it is where two offices drew one border.
_STRIP_M = 2.0
_NOBODY = "unclaimed"

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Unification:
    """One coverage made of several.

    Attributes
    ----------
    cells
        ``code name head layer source_code households area_m2 geometry``, sorted by code; ``layer``
        and ``source_code`` say which cell of which layer each goes on from ("" where no layer had
        a cell).
    conflicts
        Where the layers do not agree, most households first: ``kind cells given_to area_m2
        width_m households geometry``. ``cells`` is a tuple of ``layer:code``. Kinds: ``disagree``
        (two layers put the ground in cells that do not correspond), ``overlap`` (two cells of one
        layer), ``missing`` (some layer has no cell there), ``unclaimed`` (none has), ``outside``
        (cells beyond the limit).
    crosswalk
        ``layer old new households area_m2 weight by``: where each old cell went, "" for ground
        outside the limit. The weights of every old cell sum to 1, by households where it has any,
        else by area, as ``by`` says (``nothing``: it has neither).
    limit
        The limit with the nodes of the cells: what the proof is against.
    report
        The proof.
    notes
        Plain sentences about what was assumed.
    """

    cells: gpd.GeoDataFrame
    conflicts: gpd.GeoDataFrame
    crosswalk: pd.DataFrame
    limit: MultiPolygon
    report: CoverageReport
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain JSON values, without geometry."""
        return {
            "cells": records(pd.DataFrame(self.cells.drop(columns="geometry"))),
            "conflicts": records(pd.DataFrame(self.conflicts.drop(columns="geometry"))),
            "crosswalk": records(self.crosswalk),
            "certificate": self.report.certificate.to_dict(),
            "notes": list(self.notes),
        }


def unify(
    layers: Mapping[str, gpd.GeoDataFrame],
    limit: Limit,
    *,
    households: gpd.GeoDataFrame | None = None,
    priority: Sequence[str] | None = None,
    tolerance_m: float = _STRIP_M,
) -> Unification:
    """Make one coverage of a limit from several layers of cells.

    The layer of highest priority keeps all its ground inside the limit. Where it has no cell the
    next one's cell stands, and so on; if that cell and one of an earlier layer each hold more than
    half of the other, they are one cell, and what is left of it extends that one. What is left of
    a later layer's cell in pieces in which no circle of ``tolerance_m`` fits, and all ground that
    no layer has, joins the neighbour with which it shares most border (ties: the lowest code); a
    cell that was that narrow all along stays. Ground that nobody has and that borders no cell
    becomes a cell of its own, ``unclaimed-1`` and so on. Where cells of one layer overlap, the
    lowest code has the ground.

    Parameters
    ----------
    layers
        Cells by the name of their source, with ``code`` (made where absent), ``name`` and ``head``
        where known. Rows of one code are one cell. Codes stay; one that an earlier layer has
        already used gets its layer's name in front.
    limit
        What the one coverage must fill; the cells are cut at it.
    households
        Points with ``households`` (1 where absent): each counts once, on a border in the cell of
        the lowest code.
    priority
        Names of the layers, the leading one first; the order of ``layers`` when absent.
    tolerance_m
        Greatest width of a strip that is no piece of its own.

    Returns
    -------
    Unification
        Cells with their proof, conflicts and crosswalk.

    Raises
    ------
    InputError
        If there is no layer, the priority does not name each layer once, or a layer has no polygon.
    CrsError
        If some layers have a coordinate system and others have none.
    """
    names = _order(layers, priority)
    crs = metric_crs(layers[names[0]])
    read = [read_layer_of(layers[name], name, crs) for name in names]
    notes = [note for layer in read for note in layer.notes]
    homes = read_homes(households, crs)
    if households is None:
        notes.append("no household points were given: weights are by area, nobody is counted")
    ground = np.array([read_shape(limit, crs)], dtype=object)
    faces = overlay([*(layer.shapes for layer in read), ground])
    inside = np.flatnonzero(faces.owner[:, -1] >= 0)
    starts = np.cumsum([0, *(len(layer.codes) for layer in read)])
    label = _settle(faces, inside, read, starts, tolerance_m)
    cells, of_label = _cells(faces, inside, label, read, starts, crs, notes)
    cells["households"] = homes.counts_in(cells.geometry.to_numpy())
    given = np.full(len(faces.faces), -1, dtype=np.int64)
    given[inside] = of_label
    noded = united(faces.faces[inside])
    return Unification(
        cells=cells,
        conflicts=conflicts_of(faces, read, given, cells, homes),
        crosswalk=_crosswalk(faces, read, given, cells, homes),
        limit=noded,
        report=_proof(cells, noded),
        notes=tuple(notes),
    )


def _order(layers: Mapping[str, gpd.GeoDataFrame], priority: Sequence[str] | None) -> list[str]:
    if not layers:
        msg = "there is no layer to unify: give at least one"
        raise InputError(msg)
    names = list(layers if priority is None else priority)
    if sorted(names) != sorted(layers):
        msg = f"the priority names {', '.join(names)}: name each of {', '.join(layers)} once"
        raise InputError(msg)
    return names


def _settle(
    faces: Overlay, inside: Indices, layers: list[Layer], starts: Indices, tolerance_m: float
) -> Indices:
    """Give each face inside the limit to one cell, numbered through all layers; see `unify`."""
    owner = faces.owner[inside, : len(layers)]
    rank = np.where((owner >= 0).any(axis=1), (owner >= 0).argmax(axis=1), -1)
    position = np.take_along_axis(owner, np.maximum(rank, 0)[:, None], axis=1)[:, 0]
    label = np.where(rank >= 0, starts[rank] + position, -1)
    label = np.where(rank >= 0, _twins(faces, layers, starts)[label], -1)
    rank = np.where(rank >= 0, np.searchsorted(starts, label, side="right") - 1, -1)
    shapes = faces.faces[inside]
    pairs = rook_pairs(shapes)
    piece = pieces_of(pairs, label)
    loose = (label < 0) | _is_strip(shapes, piece, label, rank, layers, tolerance_m)
    settled = fill(pairs, np.where(loose, -1, label), piece)
    # Strips that border no cell keep their own; ground without any neighbour becomes a cell.
    label = np.where(settled >= 0, settled, label)
    islands = np.unique(piece[label < 0])
    own = starts[-1] + np.searchsorted(islands, piece)
    return np.where(label < 0, own, label)


def _twins(faces: Overlay, layers: list[Layer], starts: Indices) -> Indices:
    """Return for each cell of all layers the one of the earliest layer with which it is one."""
    twin = np.arange(starts[-1])
    area = shapely.area(faces.faces)
    for late in range(1, len(layers)):
        for early in reversed(range(late)):
            table = pd.DataFrame(
                {"one": faces.owner[:, early], "two": faces.owner[:, late], "area": area}
            )
            table = table[(table["one"] >= 0) & (table["two"] >= 0)]
            both = table.groupby(["one", "two"])["area"].sum().reset_index()
            whole = [
                shapely.area(layers[number].shapes)[both[side].to_numpy()]
                for number, side in ((early, "one"), (late, "two"))
            ]
            same = both[2 * both["area"].to_numpy() > np.maximum(*whole)]
            twin[starts[late] + same["two"].to_numpy()] = twin[
                starts[early] + same["one"].to_numpy()
            ]
    return twin


def _is_strip(
    shapes: npt.NDArray[np.object_],
    piece: Indices,
    label: Indices,
    rank: Indices,
    layers: list[Layer],
    tolerance_m: float,
) -> npt.NDArray[np.bool_]:
    """Tell which faces lie in narrow left-overs of a later layer's cell."""
    result = np.zeros(len(shapes), dtype=bool)
    late = np.flatnonzero(rank > 0)
    if not len(late) or tolerance_m <= 0:
        return result
    _, first, group = np.unique(piece[late], return_index=True, return_inverse=True)
    given = np.concatenate([layer.shapes for layer in layers])
    left = np.bincount(label[late], weights=shapely.area(shapes[late]), minlength=len(given))
    # A cell that lost no ground to the layers before it is no left-over, however narrow.
    is_cut = shapely.area(given) - left > GRID_M * shapely.length(given)
    narrow = ~is_wider(dissolve(shapes[late], group), tolerance_m)
    result[late] = (narrow & is_cut[label[late][first]])[group]
    return result


def _cells(
    faces: Overlay,
    inside: Indices,
    label: Indices,
    layers: list[Layer],
    starts: Indices,
    crs: CRS | None,
    notes: list[str],
) -> tuple[gpd.GeoDataFrame, Indices]:
    """Dissolve faces to cells sorted by code; return also each face's position among them."""
    table = _facts(layers, int(label.max() - starts[-1]) + 1)
    numbers, group = np.unique(label, return_inverse=True)
    table = table.iloc[numbers].reset_index(drop=True)
    order = np.argsort(table["code"].to_numpy(str), kind="stable")
    place = np.argsort(order)[group]
    shapes = dissolve(faces.faces[inside], place)
    cells = gpd.GeoDataFrame(
        table.iloc[order].reset_index(drop=True).assign(households=0), geometry=shapes, crs=crs
    )
    cells.insert(6, "area_m2", cells.geometry.area)
    apart = int((shapely.get_num_geometries(shapes) > 1).sum())
    if apart:
        notes.append(f"{apart} cells of the result lie in several parts")
    nobody = int((cells["layer"] == "").sum())
    if nobody:
        notes.append(f"{nobody} cells stand on ground that no layer has and no cell borders")
    return cells, place


def _facts(layers: list[Layer], unclaimed: int) -> pd.DataFrame:
    """Return every cell of every layer with the code that it would get."""
    used: set[str] = set()
    tables = []
    for layer in layers:
        codes = [_free(f"{layer.name}:{one}" if one in used else one, used) for one in layer.codes]
        facts = {
            "code": codes,
            "name": layer.text("name"),
            "head": layer.text("head"),
            "layer": layer.name,
            "source_code": layer.codes,
        }
        tables.append(pd.DataFrame(facts, dtype=object))
        used.update(codes)
    own = [_free(f"{_NOBODY}-{number}", used) for number in range(1, unclaimed + 1)]
    blank = {"code": own, "name": "", "head": "", "layer": "", "source_code": ""}
    tables.append(pd.DataFrame(blank, dtype=object))
    return pd.concat(tables, ignore_index=True)


def _free(code: str, used: set[str]) -> str:
    """Return ``code``, with as many marks behind it as it takes to be no other cell's."""
    while code in used:
        code += "'"
    return code


def _crosswalk(
    faces: Overlay,
    layers: list[Layer],
    given: Indices,
    cells: gpd.GeoDataFrame,
    homes: Homes,
) -> pd.DataFrame:
    tables = []
    homes_at = homes.cells_of(cells.geometry.to_numpy())
    for number, layer in enumerate(layers):
        face, cell = faces.holders(number)
        ground = pd.DataFrame(
            {"old": cell, "new": given[face], "area_m2": shapely.area(faces.faces[face])}
        )
        people = pd.DataFrame(
            {"old": homes.cells_of(layer.shapes), "new": homes_at, "households": homes.counts}
        )
        people = people[people["old"] >= 0]
        keys = ["old", "new"]
        table = pd.concat(
            [ground.groupby(keys)["area_m2"].sum(), people.groupby(keys)["households"].sum()],
            axis=1,
        ).reset_index()
        absent = np.setdiff1d(np.arange(len(layer.codes)), table["old"])
        table = pd.concat([table, pd.DataFrame({"old": absent, "new": -1})], ignore_index=True)
        table = table.sort_values(keys).assign(layer=layer.name)
        tables.append(table.assign(old=layer.codes[table["old"].to_numpy(np.int64)]))
    whole = pd.concat(tables, ignore_index=True)
    whole["new"] = names_of(cells["code"].to_numpy(dtype=object), whole["new"])
    whole["households"] = whole["households"].fillna(0).astype(np.int64)
    whole["area_m2"] = whole["area_m2"].fillna(0.0).astype(float)
    shared = add_shares(whole, ["layer", "old"]).rename(columns={"share": "weight"})
    return shared[["layer", "old", "new", "households", "area_m2", "weight", "by"]]


def _proof(cells: gpd.GeoDataFrame, noded: MultiPolygon) -> CoverageReport:
    report = verify_coverage(cells, noded, limit_is_noded=True)
    if not report.is_proven:
        msg = (
            "the united cells could not be proven: check the layers for cells thinner than a "
            f"millimetre, {report.certificate.levels[0].uncancelled} borders have no partner"
        )
        raise CoverageError(msg)
    return report
