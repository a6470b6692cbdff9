"""Lines to faces: one noding on the millimetre lattice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.errors import CoverageError
from geogrid.planar.edges import dissolve
from geogrid.planar.lattice import GRID_M, round_coordinates

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

__all__ = ["as_multipolygon", "cut_faces", "line_work"]


def as_multipolygon(shape: BaseGeometry) -> MultiPolygon:
    """Return the polygons of ``shape`` as one multipolygon, dropping lines and points."""
    parts = shapely.get_parts(shapely.get_parts(np.asarray([shape], dtype=object)))
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    whole: MultiPolygon = shapely.multipolygons(parts[is_area])
    return whole


def line_work(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return every line in lines, areas (their rings) and collections of both."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    areas = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines = np.where(areas, shapely.boundary(parts), parts)
    pieces = shapely.get_parts(lines)
    kinds = shapely.get_type_id(pieces)
    is_line = (kinds == shapely.GeometryType.LINESTRING) | (
        kinds == shapely.GeometryType.LINEARRING
    )
    kept: npt.NDArray[np.object_] = pieces[is_line & ~shapely.is_empty(pieces)]
    return kept


def cut_faces(
    limit: Polygon | MultiPolygon, lines: npt.NDArray[np.object_]
) -> tuple[npt.NDArray[np.object_], MultiPolygon]:
    """Cut ``limit`` along ``lines`` into faces.

    The limit and all lines are noded together, once, by snap rounding on the millimetre lattice;
    dangling ends bound no face and vanish. Lines may cross the limit.

    Parameters
    ----------
    limit
        Area to cut, on the lattice.
    lines
        Line strings in metres.

    Returns
    -------
    faces : ndarray of Polygon
        They share every border vertex for vertex and together fill the noded limit.
    noded : MultiPolygon
        The limit with the nodes that the lines put on it, moved by less than a millimetre.

    Raises
    ------
    CoverageError
        If the faces do not fill the limit: a fault of the noding, never passed over.
    """
    shapely.prepare(limit)
    # Lines that run together meet the lattice together, before anything crosses them.
    near = shapely.transform(lines[shapely.intersects(limit, lines)], round_coordinates)
    noded = shapely.union_all([*near, limit.boundary], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([noded])))
    inside = faces[shapely.contains(limit, shapely.point_on_surface(faces))]
    faces = shapely.transform(inside, round_coordinates)
    united = dissolve(faces, np.zeros(len(faces), dtype=np.int64))
    whole = as_multipolygon(united[0]) if len(united) else shapely.MultiPolygon()
    # Snap rounding may bend the limit by up to a lattice step along its whole length.
    if abs(whole.area - limit.area) > GRID_M * limit.length:
        msg = (
            f"the blocks miss the limit by {abs(whole.area - limit.area):.3f} m²: "
            "check the limit for spikes thinner than a millimetre"
        )
        raise CoverageError(msg)
    return faces, whole
