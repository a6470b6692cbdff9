"""Where an input came from: kept with every result that uses it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One input of a plan.

    Attributes
    ----------
    role
        What it was used for: ``limit``, ``osm``, ``households``, ``stations``.
    name
        The file's name (never its full path, which may name a person) or a description.
    date
        The date of the data, ISO 8601, empty when unknown.
    licence, attribution
        The licence and the line that must be printed on every map.
    datum
        The datum it was converted from.
    is_synthetic, is_estimated
        Made by a generator; derived by a rule of thumb instead of counted.
    note
        How it was derived, when ``is_estimated``.
    """

    role: str
    name: str
    date: str = ""
    licence: str = ""
    attribution: str = ""
    datum: str = ""
    is_synthetic: bool = False
    is_estimated: bool = False
    note: str = ""

    def to_dict(self) -> dict[str, str | bool]:
        """Return the fields as plain JSON values."""
        return asdict(self)
