"""Synthetic districts at true size, from the counts of a source text and a seed.

Nothing here shows a real street, house or household: every table says 合成数据 (synthetic data).
Only the names and codes of communities and villages are official.
"""

from geogrid.synthetic._spec import (
    PlaceSpec,
    SpecialCell,
    StationTier,
    Unit,
    load_place,
    place_names,
)
from geogrid.synthetic.place import Place, make_place

__all__ = [
    "Place",
    "PlaceSpec",
    "SpecialCell",
    "StationTier",
    "Unit",
    "load_place",
    "make_place",
    "place_names",
]
