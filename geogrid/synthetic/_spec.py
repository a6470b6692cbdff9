"""What a place is made from: the counts of the source text and the official names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.errors import InputError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PlaceSpec", "SpecialCell", "StationTier", "Unit", "load_place", "place_names"]

_PACKAGE = Path(__file__).resolve().parents[1]
# The wheel carries the data inside the package; a source tree has it beside the package.
_FOLDERS = (_PACKAGE / "samples", _PACKAGE.parent / "data")
_CODES = Path("codes") / "division_codes.csv"
_STATION_SITES = ("community", "town", "organisation", "compound")
_STYLES = ("dispersed", "compact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A community or village with its official name and 12-digit code."""

    code: str
    name: str
    is_rural: bool
    town_code: str
    town_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTier:
    """Stations of one tier: how many, where, and what they offer.

    ``site`` is ``community`` (one in each, as far as the count goes), ``town``, ``organisation``
    (a school, hospital, office …) or ``compound`` (at its gate).
    """

    tier: str
    name: str
    count: int
    site: str
    services: str = ""

    def __post_init__(self) -> None:
        if self.site not in _STATION_SITES or self.count < 1:
            msg = f"a station tier needs a count of 1 or more at one of {_STATION_SITES}"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialCell:
    """A cell outside the balance: ``use`` names the blocks that it is made of.

    ``use`` is ``commercial``, ``industrial``, or ``border`` for land on both sides of the border
    between two ``towns``.
    """

    kind: str
    name: str
    use: str
    towns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSpec:
    """Everything that a synthetic place must agree with.

    Attributes
    ----------
    key, title
        Short name, and what the place is called in titles.
    code, name, rank
        Administrative code, name and rank of the district.
    location, centre
        Longitude and latitude (CGCS2000) of the middle of the district and of its town centre.
    area_km2, households
        Exact area of a made-up outline; exact number of households.
    units
        Communities and villages.
    levels
        Keys of the scheme's levels for towns and for units; an empty key leaves one out.
    counts
        Cells wanted at each level of the scheme.
    urban_share
        Share of the households in communities and town seats.
    density
        Urban households per km² of built-up land, streets and parks included.
    compounds, compound_share
        Gated compounds, and the share of the urban households that live in them.
    buildings, entrances
        Exact numbers of urban residential buildings and of their entrances; 0 leaves them free.
    block_m
        Distance between arterials in the old town, the city and the countryside, in metres.
    block_ha
        Size above which a block is cut by another street.
    village_style
        ``dispersed`` (houses along lanes) or ``compact`` (rows of houses round a seat).
    group_households
        Households in a 村民小组, about.
    neighbours
        The most households of a group of neighbours (邻) that urban houses are filled to whole
        ones of; 0 for no such groups.
    river_m, bridges
        Width of the river (0: none) and the number of its bridges, at least one where it can be.
    has_railway
        Whether a railway crosses the place.
    stations, specials
        Stations by tier; cells outside the balance.
    assumptions
        What no source text states and was assumed, one sentence each.
    """

    key: str
    title: str
    name: str
    code: str
    location: tuple[float, float]
    area_km2: float
    households: int
    units: tuple[Unit, ...]
    rank: str = "区"
    centre: tuple[float, float] | None = None
    levels: tuple[str, str] = ("", "")
    counts: Mapping[str, int] = field(default_factory=dict)
    urban_share: float = 0.7
    density: float = 4000.0
    compounds: int = 10
    compound_share: float = 0.8
    buildings: int = 0
    entrances: int = 0
    block_m: tuple[float, float, float] = (300.0, 400.0, 500.0)
    block_ha: float = 4.0
    village_style: str = "dispersed"
    group_households: int = 33
    neighbours: int = 0
    river_m: float = 0.0
    bridges: int = 3
    has_railway: bool = True
    stations: tuple[StationTier, ...] = ()
    specials: tuple[SpecialCell, ...] = ()
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.households < 1 or not self.area_km2 > 0 or not self.units:
            msg = f"the place {self.key} needs households, an area and at least one unit"
            raise InputError(msg)
        if not 0 <= self.urban_share <= 1 or not 0 <= self.compound_share <= 1:
            msg = f"urban_share and compound_share of {self.key} must lie between 0 and 1"
            raise InputError(msg)
        if self.village_style not in _STYLES:
            msg = f"village_style of {self.key} must be one of {', '.join(_STYLES)}"
            raise InputError(msg)
        if len({unit.code for unit in self.units}) != len(self.units):
            msg = f"two units of {self.key} have the same code: give each its own"
            raise InputError(msg)
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))


def place_names() -> tuple[str, ...]:
    """Return the names of the places that ship, sorted."""
    files = resources.files(__package__).joinpath("places").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if _is_place(file.name)))


def load_place(name: str) -> PlaceSpec:
    """Read the data file of a place that ships.

    Raises
    ------
    MissingFileError
        If there is no such place.
    """
    if name not in place_names():
        msg = f"there is no place {name}: use one of {', '.join(place_names())}"
        raise MissingFileError(msg)
    file = resources.files(__package__).joinpath("places").joinpath(f"{name}.toml")
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    units = _units(values.pop("units"))
    known = {one.name for one in fields(PlaceSpec)}
    strange = sorted(set(values) - known)
    if strange:
        msg = f"{file.name} has an unknown field {strange[0]}: use {', '.join(sorted(known))}"
        raise InputError(msg)
    return PlaceSpec(**_typed(values), units=units)


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Turn the lists and tables of TOML into tuples and records."""
    typed = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    typed["stations"] = tuple(StationTier(**one) for one in values.get("stations", []))
    typed["specials"] = tuple(
        SpecialCell(**{**one, "towns": tuple(one.get("towns", ()))})
        for one in values.get("specials", [])
    )
    return typed


def _units(chosen: dict[str, Any]) -> tuple[Unit, ...]:
    """Return the units that a place's ``units`` table chooses from the official codes."""
    table = _codes()
    rows = table["area_code"].eq(chosen["area_code"])
    rows &= table["kind"].isin(chosen.get("kinds", ["community", "village"]))
    if "streets" in chosen:
        rows &= table["street_code_9"].isin(chosen["streets"])
    if "communities_of" in chosen:
        is_village = table["kind"].eq("village")
        rows &= is_village | table["street_code_9"].isin(chosen["communities_of"])
    rows &= ~table["code_12"].isin(chosen.get("without", []))
    return tuple(
        Unit(
            code=row["code_12"],
            name=row["name"],
            is_rural=row["kind"] == "village",
            town_code=row["street_code_9"],
            town_name=row["street_name"],
        )
        for row in table[rows].to_dict("records")
    )


def _codes() -> pd.DataFrame:
    """Read the official names and codes, as text."""
    for folder in _FOLDERS:
        if (folder / _CODES).is_file():
            return pd.read_csv(folder / _CODES, dtype=str)
    msg = f"the file {_CODES.name} is not in this installation: install geogrid again"
    raise MissingFileError(msg)


def _is_place(name: str) -> bool:
    return name.endswith(".toml")
