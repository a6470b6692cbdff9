"""One walk through an OpenStreetMap file: the few objects that matter, still in degrees.

pyosmium filters by key and joins multipolygons in C++, so Python sees some ten thousand objects of
a hundred thousand. What cannot be joined because the extract was cut through it is noted, so that
nothing is lost without a word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import osmium
import shapely
from osmium.filter import EntityFilter, IdFilter, KeyFilter
from osmium.geom import WKBFactory, use_nodes
from osmium.osm import AREA, NODE, RELATION, WAY, Area, Node, Relation, Way

from geogrid.osm._tags import AREA_KEYS, LINE_KEYS, POINT_KEYS, WAY_KEYS, is_building, water_area_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Group", "Records", "Scan", "known_runs", "scan_file"]

_AREA_TYPES = frozenset({"boundary", "multipolygon", ""})


@dataclass(slots=True)
class Records:
    """Objects of one geometry type; ``shapes`` are in degrees, ``nodes`` is kept for lines only."""

    ids: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    shapes: list[shapely.Geometry | str] = field(default_factory=list)
    nodes: list[tuple[int, ...]] = field(default_factory=list)

    def geometries(self) -> NDArray[np.object_]:
        """Return the shapes as geometries; most were kept as well-known binary."""
        shapes = np.array(self.shapes, dtype=object)
        is_text = np.array([isinstance(shape, str) for shape in self.shapes], dtype=bool)
        shapes[is_text] = shapely.from_wkb(shapes[is_text].tolist())
        # Joined areas come as multipolygons, nearly all of a single part.
        is_single = shapely.get_num_geometries(shapes) == 1
        shapes[is_single] = shapely.get_geometry(shapes[is_single], 0)
        return shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An object made of ways: a relation, or one way that is an area.

    ``members`` are ``(way id, role)`` in the order of the file.
    """

    osm_id: str
    tags: Mapping[str, str]
    members: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a file holds.

    Attributes
    ----------
    points, lines, areas
        Objects with their shape.
    administrative
        Relations of administrative limits, complete or not.
    unjoined
        Buildings and waters that are no area here, because the file lacks a part of them.
    ways
        Coordinates in degrees of the ways of both, one row a node, NaN where it is missing.
    box
        The header's box in degrees ``(west, south, east, north)``.
    date
        Date of the data, empty when unknown.
    unplaced
        How many wanted lines have no known node at all.
    """

    points: Records
    lines: Records
    areas: Records
    administrative: tuple[Group, ...]
    unjoined: tuple[Group, ...]
    ways: Mapping[int, NDArray[np.float64]]
    box: tuple[float, float, float, float] | None
    date: str
    unplaced: int


def scan_file(path: Path) -> Scan:
    """Read a file in three walks: relations, everything with keys that matter, leftover ways."""
    collector = _Collector(relations=_area_relations(path))
    processor = _processor(path)
    for item in processor:
        collector.add(item)
    administrative = tuple(_administrative_relations(path))
    unjoined = collector.unjoined()
    store = processor.node_location_storage
    wanted = {way for group in (*administrative, *unjoined) for way, _ in group.members}
    header = processor.header
    return Scan(
        points=collector.points,
        lines=collector.lines,
        areas=collector.areas,
        administrative=administrative,
        unjoined=unjoined,
        ways=dict(_way_coordinates(path, wanted, store)) if wanted and store else {},
        box=_header_box(header),
        date=_header_date(header) or collector.newest_date(),
        unplaced=collector.unplaced,
    )


def known_runs(known: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the stretches of two or more neighbouring nodes that are all known."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - start > 1:
            yield slice(start, stop)


class _Collector:
    """Gathers objects as they come; the only mutable thing here."""

    def __init__(self, relations: dict[str, Group]) -> None:
        self.points, self.lines, self.areas = Records(), Records(), Records()
        self.unplaced = 0
        self._waiting = relations
        self._joined: set[str] = set()
        self._newest = datetime.fromtimestamp(0, UTC)
        self._factory = WKBFactory()

    def add(self, item: object) -> None:
        """Take one object; pyosmium reuses it, so everything needed is copied now."""
        if isinstance(item, Node):
            self._add_node(item)
        elif isinstance(item, Way):
            self._add_way(item)
        elif isinstance(item, Area):
            self._add_area(item)

    def unjoined(self) -> tuple[Group, ...]:
        """Return the buildings and waters that never came as an area."""
        left = self._waiting.keys() - self._joined
        return tuple(group for key, group in self._waiting.items() if key in left)

    def newest_date(self) -> str:
        """Return the day of the newest object seen, empty when objects carry no time."""
        return self._newest.date().isoformat() if self._newest.timestamp() > 0 else ""

    def _add_node(self, node: Node) -> None:
        self._newest = max(self._newest, node.timestamp)
        self.points.ids.append(f"n{node.id}")
        self.points.tags.append(dict(node.tags))
        self.points.shapes.append(self._factory.create_point(node))

    def _add_way(self, way: Way) -> None:
        self._newest = max(self._newest, way.timestamp)
        tags = dict(way.tags)
        if _is_building_or_water(tags):
            osm_id = f"w{way.id}"
            self._waiting[osm_id] = Group(osm_id=osm_id, tags=tags, members=((way.id, "outer"),))
        if not any(key in tags for key in LINE_KEYS):
            return
        try:
            # Every node stays a vertex, so that both can be told apart by position.
            shape = self._factory.create_linestring(way, use_nodes.ALL)
        except (osmium.InvalidLocationError, RuntimeError):
            self._add_known_runs(way, tags)
            return
        self._add_line(way.id, tags, shape, tuple([node.ref for node in way.nodes]))

    def _add_known_runs(self, way: Way, tags: dict[str, str]) -> None:
        known = np.array([node.location.valid() for node in way.nodes], dtype=bool)
        nodes = [(node.ref, node.location) for node in way.nodes]
        runs = list(known_runs(known))
        self.unplaced += not runs
        for run in runs:
            line = shapely.LineString([(place.lon, place.lat) for _, place in nodes[run]])
            self._add_line(way.id, tags, line, tuple(ref for ref, _ in nodes[run]))

    def _add_line(
        self,
        way_id: int,
        tags: dict[str, str],
        shape: shapely.Geometry | str,
        nodes: tuple[int, ...],
    ) -> None:
        self.lines.ids.append(f"w{way_id}")
        self.lines.tags.append(tags)
        self.lines.shapes.append(shape)
        self.lines.nodes.append(nodes)

    def _add_area(self, area: Area) -> None:
        osm_id = f"{'w' if area.from_way() else 'r'}{area.orig_id()}"
        if area.num_rings()[0] == 0:
            return
        self._newest = max(self._newest, area.timestamp)
        self._joined.add(osm_id)
        self.areas.ids.append(osm_id)
        self.areas.tags.append(dict(area.tags))
        self.areas.shapes.append(self._factory.create_multipolygon(area))


def _processor(path: Path) -> osmium.FileProcessor:
    """Set up the one walk that joins areas; relations come as areas only."""
    processor = osmium.FileProcessor(path).with_areas()
    processor.with_filter(EntityFilter(NODE | WAY | AREA))
    for kind, keys in ((NODE, POINT_KEYS), (WAY, WAY_KEYS), (AREA, AREA_KEYS)):
        wanted = KeyFilter(*keys)
        wanted.enable_for(kind)
        processor.with_filter(wanted)
    return processor


def _is_building_or_water(tags: Mapping[str, str]) -> bool:
    return is_building(tags) or bool(water_area_of(tags))


def _relations(path: Path, *keys: str) -> Iterator[Group]:
    for relation in osmium.FileProcessor(path, RELATION).with_filter(KeyFilter(*keys)):
        if isinstance(relation, Relation) and relation.tags.get("type", "") in _AREA_TYPES:
            members = tuple(
                (member.ref, member.role) for member in relation.members if member.type == "w"
            )
            yield Group(osm_id=f"r{relation.id}", tags=dict(relation.tags), members=members)


def _area_relations(path: Path) -> dict[str, Group]:
    groups = _relations(path, "building", "natural", "waterway", "landuse")
    return {group.osm_id: group for group in groups if _is_building_or_water(group.tags)}


def _administrative_relations(path: Path) -> Iterator[Group]:
    for group in _relations(path, "boundary"):
        if group.tags["boundary"] == "administrative" and group.members:
            yield group


def _way_coordinates(
    path: Path, ids: set[int], store: osmium.index.LocationTable
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for way in osmium.FileProcessor(path, WAY).with_filter(IdFilter(ids)):
        if isinstance(way, Way):
            places = [_place(store, node.ref) for node in way.nodes]
            yield way.id, np.array(places, dtype=float).reshape(-1, 2)


def _place(store: osmium.index.LocationTable, node: int) -> tuple[float, float]:
    try:
        location = store.get(node)
    except KeyError:
        return (np.nan, np.nan)
    return (location.lon, location.lat) if location.valid() else (np.nan, np.nan)


def _header_box(header: osmium.io.Header) -> tuple[float, float, float, float] | None:
    box = header.box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return (low.lon, low.lat, high.lon, high.lat)


def _header_date(header: osmium.io.Header) -> str:
    return header.get("osmosis_replication_timestamp", "")[:10]
