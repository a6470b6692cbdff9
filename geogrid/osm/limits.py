"""Administrative limits from relations: complete and closed, or reported as incomplete.

An extract usually holds the limits of its surroundings in part. Half a limit looks like a limit on
a map, so nothing is closed by guessing: a relation of which a way (or a node of one) is missing, or
whose rings stay open, only goes to the list of incomplete ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from geogrid.osm._scan import Group

__all__ = ["Limit", "assemble_limits"]

_ROLES = frozenset({"", "outer", "inner", "exclave", "enclave"})
_HOLES = frozenset({"inner", "enclave"})
_LEVEL = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One administrative relation; ``shape`` is None unless it is complete."""

    osm_id: str
    name: str
    admin_level: int
    missing: int
    shape: shapely.Polygon | shapely.MultiPolygon | None


def assemble_limits(
    groups: Sequence[Group], ways: Mapping[int, NDArray[np.float64]]
) -> tuple[Limit, ...]:
    """Assemble each relation from its member ways.

    Parameters
    ----------
    groups
        Administrative relations; those without a readable ``admin_level`` are no limits and left
        out.
    ways
        Coordinates in metres, NaN where a node is not in the file.
    """
    return tuple(_limits(groups, ways))


def _limits(groups: Sequence[Group], ways: Mapping[int, NDArray[np.float64]]) -> Iterator[Limit]:
    for group in groups:
        level = _LEVEL.match(group.tags.get("admin_level", ""))
        members = [(way, role) for way, role in group.members if role in _ROLES]
        if level is None or not members:
            continue
        missing = sum(way not in ways or bool(np.isnan(ways[way]).any()) for way, _ in members)
        yield Limit(
            osm_id=group.osm_id,
            name=group.tags.get("name", ""),
            admin_level=int(level.group()),
            missing=missing,
            shape=None if missing else _assemble(members, ways),
        )


def _assemble(
    members: Sequence[tuple[int, str]], ways: Mapping[int, NDArray[np.float64]]
) -> shapely.Polygon | shapely.MultiPolygon | None:
    """Return the area, None if a ring is open or the rings contradict their roles."""
    # A way listed twice is one border all the same.
    is_hole = {way: role in _HOLES for way, role in members}
    outer = _filled_rings([ways[way] for way in is_hole if not is_hole[way]])
    holes = _filled_rings([ways[way] for way in is_hole if is_hole[way]])
    if outer is None or holes is None or not len(outer):
        return None
    if len(holes) and not shapely.covers(shapely.union_all(outer), shapely.union_all(holes)):
        return None
    faces = shapely.get_parts(
        shapely.polygonize([shapely.LineString(ways[way]) for way in is_hole])
    )
    area = shapely.union_all(faces[_lie_inside(faces, outer, holes)])
    return area if isinstance(area, shapely.Polygon | shapely.MultiPolygon) else None


def _filled_rings(lines: Sequence[NDArray[np.float64]]) -> NDArray[np.object_] | None:
    """Return the rings that lines close, without their holes; None if a line is left over."""
    parts = [shapely.LineString(line) for line in lines]
    faces, cuts, dangles, invalid = shapely.polygonize_full(parts)
    if not (cuts.is_empty and dangles.is_empty and invalid.is_empty):
        return None
    rings = shapely.get_exterior_ring(shapely.get_parts(faces))
    return np.array([shapely.Polygon(ring) for ring in rings], dtype=object)


def _lie_inside(
    faces: NDArray[np.object_], outer: NDArray[np.object_], holes: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """Tell for each face whether the smallest ring round it is an outer one.

    So an island in a hole is inside again, and holes that touch each other stay holes.
    """
    rings = np.concatenate([outer, holes])
    face, ring = shapely.STRtree(rings).query(shapely.point_on_surface(faces), predicate="within")
    order = np.argsort(-shapely.area(rings)[ring], kind="stable")
    inside = np.zeros(len(faces), dtype=bool)
    inside[face[order]] = ring[order] < len(outer)
    return inside
