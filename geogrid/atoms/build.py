"""Cut a district along its barriers into atoms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.atoms._buildings import clusters_of, cut_report
from geogrid.atoms._join import FirstCut, in_order, join_faces
from geogrid.atoms._sites import Places
from geogrid.atoms._verges import share_verges
from geogrid.errors import CrsError, InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.planar.crs import require_metric
from geogrid.planar.edges import dissolve
from geogrid.planar.lattice import snap
from geogrid.planar.noding import as_multipolygon, cut_faces, line_work
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    import numpy.typing as npt
    from pyproj import CRS
    from shapely.geometry import MultiPolygon
    from shapely.geometry.base import BaseGeometry

__all__ = ["build_atoms"]

# Half a basketball court: medians, roundabouts and traffic islands are smaller, homes are not.
_MIN_AREA_M2 = 200.0


def build_atoms(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    barriers: gpd.GeoSeries | gpd.GeoDataFrame,
    *,
    households: gpd.GeoDataFrame | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    min_area_m2: float = _MIN_AREA_M2,
    max_households: int | None = None,
    share_out_verges: bool = False,
) -> Atoms:
    """Cut a limit along barriers into atoms.

    Limit and barriers are noded together on the millimetre lattice. A building that a barrier
    would cut goes whole to the side that holds most of it: the border follows its walls. Slivers
    join the neighbour over their longest border, never across a stronger barrier than needed.

    Parameters
    ----------
    limit
        The district, or its polygon in metres.
    barriers
        Lines (areas give their outlines), in metres; ``kind`` is a
        :class:`~geogrid.vocabulary.BarrierKind`, ``street`` where absent.
    households
        Points with ``households``; counted onto the atoms, each point on exactly one.
    buildings
        Areas that no border should cut, ``osm_id`` or ``building`` names them.
    min_area_m2
        Faces smaller than this join a neighbour, and so do empty strips narrower than 12 m; 0
        joins nothing.
    max_households
        Blocks with more households are cut half-way between their buildings.
    share_out_verges
        Whether empty strips along walls, such as those between compounds and streets, are shared
        out among the atoms behind the walls.

    Returns
    -------
    Atoms
        Sorted from north to south; ``cut_buildings`` lists what could not be kept whole.

    Raises
    ------
    InputError
        If the limit has no area, a number is negative, or households lie outside the limit.
    CrsError
        If coordinates are not metres, or the systems differ.
    """
    if min_area_m2 < 0 or (max_households is not None and max_households < 1):
        msg = f"min_area_m2 ({min_area_m2:g}) must be 0 or more and max_households 1 or more"
        raise InputError(msg)
    shape, crs = _limit_polygon(limit)
    lines = _barrier_lines(barriers, crs)
    for frame in (households, buildings):
        _require_crs(frame, crs)
    outlines = _shapes_of(buildings)
    walls = clusters_of(in_order(outlines))
    blocks, noded = cut_faces(shape, line_work(lines.geometry.to_numpy()))
    cut = FirstCut(lines, in_order(blocks), noded, walls, Places.of(households))
    joined = join_faces(cut, min_area_m2, max_households)
    if share_out_verges:
        joined = share_verges(joined, cut.places, walls)
    frame = _numbered(dissolve(joined.faces, joined.labels), crs)
    atoms = Atoms(frame=frame, limit=joined.noded, barriers=joined.lines)
    if buildings is not None:
        report = cut_report(outlines, _names_of(buildings), frame.geometry.to_numpy())
        atoms = replace(atoms, cut_buildings=report)
    return atoms if households is None else _count(atoms, households)


def _numbered(shapes: npt.NDArray[np.object_], crs: CRS | None) -> gpd.GeoDataFrame:
    """Name the atoms from north to south, whatever order the barriers came in."""
    bounds = shapely.bounds(shapes)
    order = np.lexsort((bounds[:, 2], bounds[:, 1], bounds[:, 0], -bounds[:, 3]))
    width = len(str(len(shapes)))
    ids = [f"A{number:0{width}d}" for number in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame(
        {"atom_id": ids, "households": 0, "kind": ""}, geometry=shapes[order], crs=crs
    )


def _count(atoms: Atoms, households: gpd.GeoDataFrame) -> Atoms:
    outside = int((atoms.locate(households) < 0).sum())
    if outside:
        msg = (
            f"{outside} of {len(households)} household points lie outside the limit: "
            "split them off and list them first"
        )
        raise InputError(msg)
    return atoms.with_households(households)


def _limit_polygon(
    limit: District | gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
) -> tuple[MultiPolygon, CRS | None]:
    crs: CRS | None = None
    shape: BaseGeometry
    if isinstance(limit, District):
        shape, crs = limit.limit, limit.crs
    elif isinstance(limit, gpd.GeoDataFrame | gpd.GeoSeries):
        require_metric(limit)
        shape, crs = limit.geometry.union_all(), limit.crs
    else:
        shape = limit
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    whole = as_multipolygon(snap(shape))
    if whole.is_empty:
        msg = "the limit has no area: give a polygon of the district"
        raise InputError(msg)
    return whole, crs


def _require_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: CRS | None) -> None:
    if frame is None:
        return
    require_metric(frame)
    if crs is not None and frame.crs is not None and frame.crs != crs:
        msg = f"the limit is in {crs.name}, another layer in {frame.crs.name}: use to_crs first"
        raise CrsError(msg)


def _barrier_lines(barriers: gpd.GeoSeries | gpd.GeoDataFrame, crs: CRS | None) -> gpd.GeoDataFrame:
    _require_crs(barriers, crs)
    table = gpd.GeoDataFrame(geometry=barriers) if isinstance(barriers, gpd.GeoSeries) else barriers
    kind = table["kind"].to_numpy() if "kind" in table else BarrierKind.STREET.value
    known = {kind.value for kind in BarrierKind}
    strange = sorted(set(np.atleast_1d(kind).tolist()) - known)
    if strange:
        msg = f"there is no barrier kind {strange[0]!r}: use one of {', '.join(sorted(known))}"
        raise InputError(msg)
    name = table["name"].to_numpy() if "name" in table else ""
    shapes = table.geometry.to_numpy()
    return gpd.GeoDataFrame(
        {"kind": kind, "name": name}, geometry=shapes, crs=crs, index=range(len(shapes))
    )


def _shapes_of(buildings: gpd.GeoDataFrame | None) -> npt.NDArray[np.object_]:
    if buildings is None:
        return np.empty(0, dtype=object)
    shapes = buildings.geometry.to_numpy()
    bad = ~shapely.is_valid(shapes)
    if bad.any():
        shapes = shapes.copy()
        shapes[bad] = [as_multipolygon(one) for one in shapely.make_valid(shapes[bad])]
    return shapes


def _names_of(buildings: gpd.GeoDataFrame) -> npt.NDArray[np.object_]:
    for column in ("building_id", "osm_id"):
        if column in buildings:
            return buildings[column].to_numpy(object)
    return buildings.index.to_numpy().astype(str).astype(object)
