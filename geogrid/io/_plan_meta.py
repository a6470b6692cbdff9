"""What a plan file says about itself, as plain JSON values and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyproj import CRS

from geogrid.errors import InputError
from geogrid.model.report import Certificate
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.plan import GridPlan

__all__ = ["PLAN_FORMAT", "PLAN_FORMAT_VERSION", "PlanMeta", "crs_text", "plan_meta"]

PLAN_FORMAT = "geogrid-plan"
PLAN_FORMAT_VERSION = 1

_CUT_COLUMNS = ("building", "reason", "share")


def plan_meta(plan: GridPlan, assumptions: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return all that a plan file keeps beside its layers.

    Parameters
    ----------
    plan
        The plan.
    assumptions
        What stands behind the service circles in the file, if there are any.
    """
    cut = plan.atoms.cut_buildings
    return {
        "format": PLAN_FORMAT,
        "format_version": PLAN_FORMAT_VERSION,
        "crs": crs_text(plan.district.crs),
        "scheme": asdict(plan.scheme),
        "sources": [source.to_dict() for source in plan.sources],
        "synthetic": any(source.is_synthetic for source in plan.sources),
        "estimated": any(source.is_estimated for source in plan.sources),
        "certificate": None if plan.certificate is None else plan.certificate.to_dict(),
        "version": plan.version,
        "parent_version": plan.parent_version,
        "notes": list(plan.notes),
        "cut_buildings": {str(name): cut[name].tolist() for name in cut.columns},
        "reach_assumptions": None if assumptions is None else _json_values(assumptions),
    }


class PlanMeta:
    """The typed values of a plan file's meta data.

    Parameters
    ----------
    values
        What :func:`plan_meta` gave.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If the file is no plan, is newer than this program, or its meta data are damaged.
    """

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        if values.get("format") != PLAN_FORMAT:
            msg = f"{name} is not a geogrid plan: use read_layer for other map files"
            raise InputError(msg)
        if values.get("format_version") != PLAN_FORMAT_VERSION:
            msg = (
                f"{name} was written by another version of geogrid (format "
                f"{values.get('format_version')}): open it with a version that knows it"
            )
            raise InputError(msg)
        try:
            self.crs = CRS.from_user_input(values["crs"]) if values["crs"] else None
            self.scheme = _scheme(values["scheme"])
            self.sources = tuple(Source(**source) for source in values["sources"])
            self.certificate = _certificate(values["certificate"])
            self.version = str(values["version"])
            self.parent_version = str(values["parent_version"])
            self.notes = tuple(str(note) for note in values.get("notes", ()))
            self.cut_buildings = pd.DataFrame(values["cut_buildings"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"{name} is a damaged geogrid file: take the last good version of it ({error})"
            raise InputError(msg) from error
        if self.cut_buildings.columns.empty:
            self.notes = tuple(str(note) for note in values.get("notes", ()))
            self.cut_buildings = pd.DataFrame({column: [] for column in _CUT_COLUMNS})


def crs_text(crs: CRS | None) -> str | None:
    """Return a coordinate system as text that gives exactly it again; ``None`` stays."""
    if crs is None:
        return None
    authority = crs.to_authority(min_confidence=100)
    if authority is not None and CRS.from_authority(*authority) == crs:
        return ":".join(authority)
    return str(crs.to_wkt())


def _scheme(values: Mapping[str, Any]) -> Scheme:
    return Scheme(
        **{
            **_known(Scheme, values),
            "levels": tuple(_level(level) for level in values["levels"]),
        }
    )


def _level(values: Mapping[str, Any]) -> Level:
    band = values["band"]
    return Level(
        **{
            **_known(Level, values),
            "contract": Contract(values["contract"]),
            "aliases": tuple(values["aliases"]),
            "kinds": tuple(values["kinds"]),
            "band": None if band is None else HouseholdBand(**_known(HouseholdBand, band)),
        }
    )


def _certificate(values: Mapping[str, Any] | None) -> Certificate | None:
    return None if values is None else Certificate.from_dict(values)


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _json_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what JSON knows and turn the rest (dates, paths) into text."""
    plain: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, tuple | list):
            plain[str(key)] = [_json_value(part) for part in value]
        else:
            plain[str(key)] = _json_value(value)
    return plain


def _json_value(value: Any) -> Any:  # noqa: ANN401 - assumptions are of any kind
    if hasattr(value, "item"):
        value = value.item()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
