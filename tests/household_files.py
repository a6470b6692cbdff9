"""A small synthetic town as the files a user has: a limit, a map, a roster of households."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import geopandas as gpd
import numpy as np
import openpyxl
import shapely

from geogrid.synthetic import PlaceSpec, Unit, make_place

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.synthetic import Place

__all__ = ["HEADERS", "roster_of", "small_town", "write_csv", "write_map", "write_xlsx"]

HEADERS = {
    "household_id": "户号", "name": "户主", "phone": "联系电话", "compound": "所属小区",
    "building": "楼栋号", "entrance": "单元", "floor": "楼层", "lon": "经度", "lat": "纬度",
    "merchants": "商户数",
}  # fmt: skip


def small_town(households: int = 900) -> Place:
    """Return a synthetic place of two communities."""
    units = tuple(
        Unit(
            code=f"99000100{at}{at:03d}", name=f"试{at}社区居委会", is_rural=False,
            town_code=f"99000100{at}", town_name=f"试{at}镇",
        )
        for at in range(2)
    )  # fmt: skip
    spec = PlaceSpec(
        key="small", title="试区（合成数据）", name="试区", code="990001", location=(113.1, 27.8),
        area_km2=1.0, households=households, units=units, compounds=4, urban_share=1.0,
        river_m=0.0, bridges=0,
    )  # fmt: skip
    return make_place(spec)


def roster_of(place: Place) -> list[dict[str, str]]:
    """Return the households as people type them: buildings numbered anew in every compound."""
    table = place.households
    number: dict[str, dict[str, int]] = {}
    for compound, building in zip(table["compound"], table["building"], strict=True):
        mine = number.setdefault(compound, {})
        mine.setdefault(building, len(mine) + 1)
    names = dict(zip(place.compounds["compound"], place.compounds["name"], strict=True))
    degrees = shapely.get_coordinates(table.geometry.to_crs(4326).to_numpy())
    return [
        {
            "household_id": row["household_id"],
            "name": "合成",
            "phone": "13800000000",
            "compound": names.get(row["compound"], "") or "散居",
            "building": f"{number[row['compound']][row['building']]:02d}",
            "entrance": f"{row['entrance']}单元",
            "floor": f"{row['floor']}层",
            "lon": f"{lon:.9f}",
            "lat": f"{lat:.9f}",
        }
        for row, (lon, lat) in zip(table.to_dict("records"), degrees, strict=True)
    ]


def write_xlsx(rows: list[dict[str, str]], path: Path) -> Path:
    """Write a book with a title above the header, and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "住户"
    sheet.append(["试区住户花名册（合成数据）"])
    sheet.append([HEADERS[key] for key in rows[0]])
    for row in rows:
        sheet.append([float(v) if key in {"lon", "lat"} else v for key, v in row.items()])
    book.create_sheet("说明")
    book.save(path)
    return path


def write_csv(rows: list[dict[str, str]], path: Path, encoding: str = "gbk") -> Path:
    """Write what WPS saves as CSV."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([HEADERS[key] for key in rows[0]])
        writer.writerows(row.values() for row in rows)
    return path


def write_map(place: Place, folder: Path) -> tuple[Path, Path]:
    """Write the limit, and the streets and buildings as an OpenStreetMap file."""
    limit = gpd.GeoDataFrame({"name": ["试区"]}, geometry=[place.district.limit],
                             crs=place.district.crs)  # fmt: skip
    limit.to_file(folder / "limit.gpkg")
    extract = place.extract
    ways = [
        *zip(extract.streets.geometry, ({"highway": one} for one in extract.streets["highway"]),
             strict=True),
        *zip(extract.buildings.geometry.exterior,
             ({"building": one} for one in extract.buildings["building"]), strict=True),
    ]  # fmt: skip
    lines = gpd.GeoSeries([line for line, _ in ways], crs=place.district.crs).to_crs(4326)
    xy, way = shapely.get_coordinates(lines.to_numpy(), return_index=True)
    places, node = np.unique(np.round(xy, 7), axis=0, return_inverse=True)
    node = node.ravel()
    text = ["<osm version='0.6'>"]
    text += [
        f'<node id="{at}" lon="{lon:.7f}" lat="{lat:.7f}"/>'
        for at, (lon, lat) in enumerate(places.tolist(), start=1)
    ]
    for at, (_, tags) in enumerate(ways):
        refs = "".join(f'<nd ref="{one + 1}"/>' for one in node[way == at].tolist())
        told = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
        text.append(f'<way id="{at + 1}">{refs}{told}</way>')
    text.append("</osm>")
    path = folder / "town.osm"
    path.write_text("\n".join(text), encoding="utf-8")
    return folder / "limit.gpkg", path
