"""How minutes become metres: presets, speeds and the limits asked for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["PRESETS", "Limits", "Pace", "resolve_limits"]

_METRES_A_MINUTE = 1000 / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A speed, or a table of walks; exactly one of both.

    Attributes
    ----------
    key
        Name of the preset, ``custom`` for a speed of the user's own.
    title_zh
        Its name on a map.
    speed_kmh
        Walking speed; ``None`` where a table stands instead.
    walks
        Pairs of minutes and metres, both rising.
    note
        Where the numbers come from.
    """

    key: str
    title_zh: str
    speed_kmh: float | None = None
    walks: tuple[tuple[float, float], ...] = ()
    note: str = ""

    def metres(self, minutes: float) -> float:
        """Return how far one walks in ``minutes``.

        Raises
        ------
        InputError
            If the table does not name these minutes.
        """
        if self.speed_kmh is not None:
            return minutes * self.speed_kmh * _METRES_A_MINUTE
        walks = dict(self.walks)
        if minutes not in walks:
            known = ", ".join(f"{known:g}" for known in walks)
            msg = f"preset {self.key} knows no walk of {minutes:g} minutes: use some of {known}"
            raise InputError(msg)
        return walks[minutes]

    def minutes(self, metres: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return walking minutes; between the rows of a table they rise evenly."""
        if self.speed_kmh is not None:
            return metres / (self.speed_kmh * _METRES_A_MINUTE)
        minutes, reached = np.array([(0.0, 0.0), *self.walks]).T
        return np.asarray(np.interp(metres, reached, minutes))


PRESETS: Mapping[str, Pace] = MappingProxyType(
    {
        pace.key: pace
        for pace in (
            Pace(
                key="gb50180",
                title_zh="生活圈标准距离",
                walks=((5, 300.0), (10, 500.0), (15, 1000.0)),
                note="distances of GB 50180-2018, taken along the network; 300 m and 1000 m are "
                "as commonly quoted and not checked against the clause",
            ),
            Pace(key="adult", title_zh="成人步行", speed_kmh=4.8, note="80 m a minute"),
            Pace(
                key="elder",
                title_zh="老年人步行",
                speed_kmh=2.88,
                note="0.8 m a second, an assumption: no standard states a speed",
            ),
        )
    }
)
_DEFAULT = "adult"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a reach, rising.

    Attributes
    ----------
    unit
        ``minutes`` or ``metres``: what was asked for.
    values
        The limits in that unit.
    metres
        The same limits in metres.
    pace
        Turns metres into minutes; ``None`` when metres were asked for without a speed.
    """

    unit: str
    values: tuple[float, ...]
    metres: tuple[float, ...]
    pace: Pace | None


def resolve_limits(
    *,
    minutes: float | Sequence[float] | None,
    metres: float | Sequence[float] | None,
    preset: str | None,
    speed_kmh: float | None,
) -> Limits:
    """Turn what the user asked for into limits in metres.

    Raises
    ------
    InputError
        If both or neither of minutes and metres are given, both a preset and a speed are, or a
        value makes no sense.
    """
    if (minutes is None) == (metres is None):
        what = (
            "neither minutes nor metres are" if minutes is None else "minutes and metres are both"
        )
        msg = f"{what} given: give minutes=(5, 15), or minutes=None with metres=[400]"
        raise InputError(msg)
    pace = _pace(preset, speed_kmh, is_needed=minutes is not None)
    if minutes is not None and pace is not None:
        values = _values(minutes, "minutes")
        return Limits(
            unit="minutes",
            values=values,
            metres=tuple(pace.metres(value) for value in values),
            pace=pace,
        )
    if pace is not None and pace.speed_kmh is None:
        msg = f"preset {pace.key} has metres of its own: give minutes with it, or a speed_kmh"
        raise InputError(msg)
    values = _values(metres if metres is not None else (), "metres")
    return Limits(unit="metres", values=values, metres=values, pace=pace)


def _pace(preset: str | None, speed_kmh: float | None, *, is_needed: bool) -> Pace | None:
    if preset is not None and speed_kmh is not None:
        msg = f"preset {preset} and speed_kmh={speed_kmh:g} contradict each other: give one of them"
        raise InputError(msg)
    if speed_kmh is not None:
        if not (np.isfinite(speed_kmh) and speed_kmh > 0):
            msg = f"speed_kmh={speed_kmh:g} is no walking speed: give a positive number"
            raise InputError(msg)
        return Pace(key="custom", title_zh="自定步速", speed_kmh=float(speed_kmh))
    if preset is None:
        return PRESETS[_DEFAULT] if is_needed else None
    if preset not in PRESETS:
        msg = f"there is no walking preset {preset}: use one of {', '.join(sorted(PRESETS))}"
        raise InputError(msg)
    return PRESETS[preset]


def _values(given: float | Sequence[float], unit: str) -> tuple[float, ...]:
    try:
        values = tuple(float(value) for value in (given if np.iterable(given) else (given,)))
    except (TypeError, ValueError) as error:
        msg = f"{unit} must be numbers, got {given!r}"
        raise InputError(msg) from error
    if not values or not all(np.isfinite(value) and value > 0 for value in values):
        msg = f"{unit} must be positive numbers, at least one, got {given!r}"
        raise InputError(msg)
    whole = {int(value) if value == int(value) else value for value in values}
    return tuple(sorted(whole))
