"""Open defects of a version as GeoJSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import mapping

from geogrid.api.view import shown_count
from geogrid.maps.data import defect_rows
from geogrid.maps.disclosure import count_text
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.api.view import PlanView
    from geogrid.store import Version

__all__ = ["defect_collection"]


def defect_collection(view: PlanView, version: Version) -> dict[str, Any]:
    """Return the defects that were listed when the plan came in, else those of the version."""
    listed = defect_rows(None, view.layers.defects)
    rows = [
        _feature(
            {
                "kind": row["kind"], "kind_zh": row["label"], "level": row["level"],
                "cells": row["cells"], "area_m2": row["area"], "width_m": row["width"],
                "households": shown_count(row["households"]),
                "households_text": count_text(row["households"]),
            },
            row["bounds"],
        )
        for row in listed
    ]  # fmt: skip
    if not listed:
        places = _places(view, [row.get("wkb", "") for row in version.defects])
        rows = [
            _feature(_stored(row), place)
            for row, place in zip(version.defects, places, strict=True)
        ]
    return {"type": "FeatureCollection", "features": rows}


def _places(view: PlanView, coded: list[str]) -> list[list[float] | None]:
    shapes = np.array([shapely.from_wkb(one) if one else None for one in coded], dtype=object)
    bounds = gpd.GeoSeries(shapes, crs=view.plan.district.crs).to_crs(4326).bounds.to_numpy()
    return [row if all(map(math.isfinite, row)) else None for row in bounds.tolist()]


def _stored(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": row["kind"], "kind_zh": DefectKind(row["kind"]).label_zh, "level": row["level"],
        "cells": list(row["cells"]), "area_m2": _number(row["area_m2"]),
        "width_m": _number(row["width_m"]),
    }  # fmt: skip


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _feature(
    values: dict[str, Any],
    bounds: Any,  # noqa: ANN401 - four floats
) -> dict[str, Any]:
    shape = None if bounds is None else mapping(shapely.box(*bounds))
    return {"type": "Feature", "properties": values, "geometry": shape}
