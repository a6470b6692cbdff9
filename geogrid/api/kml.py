"""Features as KML, one folder a layer, for 奥维 and other programs that draw on a globe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.api.features import FeatureTable

__all__ = ["kml_of"]

# No document may hold these, and a plan file from elsewhere may.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'


def kml_of(layers: Mapping[str, FeatureTable]) -> bytes:
    """Return layers of public features as a KML document."""
    folders = "".join(_folder(name, table) for name, table in layers.items())
    return f"{_HEAD}<Document>{folders}</Document></kml>".encode()


def _text(value: str) -> str:
    return escape(_NO_XML.sub("", value))


def _folder(name: str, table: FeatureTable) -> str:
    marks = "".join(
        _placemark(values, shape)
        for values, shape in zip(table.properties, table.shapes, strict=True)
    )
    return f"<Folder><name>{_text(name)}</name>{marks}</Folder>"


def _placemark(values: Mapping[str, object], shape: shapely.Geometry) -> str:
    title = _text(str(values.get("name") or values.get("station") or ""))
    data = "".join(
        f'<Data name="{_text(key)}"><value>{_text(str(value))}</value></Data>'
        for key, value in values.items()
        if key != "name" and value is not None
    )
    return (
        f"<Placemark><name>{title}</name><ExtendedData>{data}</ExtendedData>"
        f"{_geometry(shape)}</Placemark>"
    )


def _geometry(shape: shapely.Geometry) -> str:
    parts = shapely.get_parts(shape)
    drawn = "".join(_point(part) if part.geom_type == "Point" else _area(part) for part in parts)
    return drawn if len(parts) == 1 else f"<MultiGeometry>{drawn}</MultiGeometry>"


def _point(part: shapely.Geometry) -> str:
    return f"<Point>{_places(part)}</Point>"


def _area(part: shapely.Geometry) -> str:
    rings = shapely.get_rings(part)
    names = ["outerBoundaryIs", *["innerBoundaryIs"] * (len(rings) - 1)]
    drawn = "".join(
        f"<{name}><LinearRing>{_places(ring)}</LinearRing></{name}>"
        for name, ring in zip(names, rings, strict=True)
    )
    return f"<Polygon>{drawn}</Polygon>"


def _places(shape: shapely.Geometry) -> str:
    xy = shapely.get_coordinates(shape).tolist()
    return f"<coordinates>{' '.join(f'{x:.7f},{y:.7f}' for x, y in xy)}</coordinates>"
