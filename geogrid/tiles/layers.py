"""The layers of a plan and of its base map: which of their columns everyone may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geogrid.errors import InputError
from geogrid.tiles._flat import Dimension
from geogrid.tiles.source import TileSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.model.extract import OsmExtract

__all__ = ["base_sources", "cell_source", "circle_source", "station_source"]

CELL_FIELDS = {
    "code": "网格编码",
    "name": "网格名称",
    "kind": "网格类型",
    "parent": "上级网格编码",
    "households": "户数（不公开的为空）",
    "hidden": "户数不公开的原因：1 不足 10 户，2 可由此推算出不足 10 户的网格",
    "band": "户数与标准相比：-1 低于，0 符合，1 高于，空为不评价",
}
SERVED = "served_"
STATION_FIELDS = {"station": "服务站编号", "name": "服务站名称", "stand_in": "暂代的现有设施"}
CIRCLE_FIELDS = {
    "station": "服务站编号",
    "minutes": "步行分钟数",
    "metres": "步行米数",
}
STREET_FIELDS = {"name": "道路名称", "highway": "道路等级（OSM）"}
WATER_FIELDS = {"name": "水体名称", "water": "水体类型（OSM）"}
RAIL_FIELDS = {"name": "铁路名称"}
BUILDING_FIELDS = {"building": "建筑类型（OSM）"}

_BASE_ZOOMS = (10, 16)
_BUILDING_ZOOMS = (14, 16)


def cell_source(
    level: str,
    table: gpd.GeoDataFrame,
    *,
    title: str = "",
    zooms: tuple[int, int] = (0, 16),
    older: TileSource | None = None,
) -> TileSource:
    """Make a layer of the cells of a level.

    Parameters
    ----------
    level
        Key of the level; the layer's name.
    table
        ``code, name, kind, parent, public`` and cells; ``band`` where it is judged. ``public`` is
        the number of households that may be shown, -1 for less than ten, -2 for a number that is
        withheld. A column with true numbers is not read. Of columns ``served_<limit>`` each is the
        public share of households that is served within a walking limit, missing where it may not
        be shown or nobody knows.
    title
        Name of the level.
    zooms
        First and last zoom that show it.
    older
        The same level before an edit; what is far from the edit is taken from there.

    Raises
    ------
    InputError
        If the table does not say what is public, or a code occurs twice.
    CrsError
        If it has no coordinate system.
    """
    if "public" not in table:
        msg = f"the cells of level {level} do not say which counts are public: add a column public"
        raise InputError(msg)
    public = pd.Series(table["public"], dtype="Int64")
    band = table["band"] if "band" in table else pd.Series(pd.NA, index=table.index)
    shown = {
        "households": public.where(public >= 0),
        "hidden": (-public).where(public < 0),
        "band": band.astype("Int64"),
    }
    served = {
        str(
            name
        ): f"步行{str(name).removeprefix(SERVED)}分钟内的服务覆盖率（0-1，不公开或未知的为空）"
        for name in table.columns
        if str(name).startswith(SERVED)
    }
    return TileSource.from_frame(
        level,
        table.assign(**shown),
        key="code",
        described=CELL_FIELDS | served,
        title=title,
        zooms=zooms,
        older=older,
    )


def station_source(
    stations: gpd.GeoDataFrame, *, zooms: tuple[int, int] = _BASE_ZOOMS
) -> TileSource:
    """Make a layer of service stations: number, name, and what stands in for one."""
    return TileSource.from_frame(
        "stations", stations, key="station", described=_there(STATION_FIELDS, stations),
        dimension=Dimension.POINT, title="党群服务站", zooms=zooms,
    )  # fmt: skip


def circle_source(circles: gpd.GeoDataFrame, *, zooms: tuple[int, int] = _BASE_ZOOMS) -> TileSource:
    """Make a layer of service circles, one row a station and limit."""
    limits = [name for name in ("minutes", "metres") if name in circles]
    keys = circles["station"].astype(str)
    for name in limits:
        keys = keys + "|" + circles[name].map("{:g}".format)
    return TileSource.from_frame(
        "circles", circles.assign(key=keys), key="key",
        described=_there(CIRCLE_FIELDS, circles), title="服务圈", zooms=zooms,
    )  # fmt: skip


def base_sources(
    extract: OsmExtract, *, zooms: tuple[int, int] = _BASE_ZOOMS
) -> tuple[TileSource, ...]:
    """Make the layers of a quiet base map, in the order in which they are drawn.

    Parameters
    ----------
    extract
        Its waters, buildings, rails and streets; what runs in a tunnel is left out.
    zooms
        First and last zoom; buildings begin at 14.
    """
    late = (max(zooms[0], min(_BUILDING_ZOOMS[0], zooms[1])), zooms[1])
    waters = extract.waters
    rows = (
        ("water_areas", "水面", waters, WATER_FIELDS, Dimension.AREA, zooms),
        ("water_lines", "河流", waters, WATER_FIELDS, Dimension.LINE, zooms),
        ("buildings", "建筑", extract.buildings, BUILDING_FIELDS, Dimension.AREA, late),
        ("rails", "铁路", extract.rails, RAIL_FIELDS, Dimension.LINE, zooms),
        ("streets", "道路", extract.streets, STREET_FIELDS, Dimension.LINE, zooms),
    )
    return tuple(
        _base_source(name, title, frame, described, dimension, span)
        for name, title, frame, described, dimension, span in rows
        if len(frame)
    )


def _base_source(
    name: str,
    title: str,
    frame: gpd.GeoDataFrame,
    described: Mapping[str, str],
    dimension: Dimension,
    zooms: tuple[int, int],
) -> TileSource:
    if "is_tunnel" in frame:
        frame = frame[~frame["is_tunnel"].fillna(value=False).to_numpy(bool)]
    # A street that was cut at a crossing is several rows of one number.
    numbers = frame["osm_id"].astype(str)
    keys = numbers + "#" + numbers.groupby(numbers).cumcount().astype(str)
    return TileSource.from_frame(
        name, frame.assign(key=keys), key="key", described=_there(described, frame),
        dimension=dimension, title=title, zooms=zooms,
    )  # fmt: skip


def _there(described: Mapping[str, str], frame: gpd.GeoDataFrame) -> dict[str, str]:
    return {name: text for name, text in described.items() if name in frame}
