"""Levels and schemes: how a place divides itself, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geogrid.errors import InputError
from geogrid.vocabulary import Contract, DefectKind

__all__ = ["ALLOWABLE", "CellException", "HouseholdBand", "Level", "Scheme"]

# What may be right about one cell though it is wrong in general: a cross-jurisdiction grid, a
# special cell outside the balance, an enclave. A gap or an overlap is never right.
ALLOWABLE = (DefectKind.SPANS_PARENTS, DefectKind.OUT_OF_BAND, DefectKind.MULTIPART)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellException:
    """One cell that may do what others may not; a check shows it as an allowed exception.

    Attributes
    ----------
    code
        Code of the cell.
    allows
        What it may be: some of ``ALLOWABLE``.
    reason
        Why, in the words of whoever allowed it.
    """

    code: str
    allows: tuple[DefectKind, ...] = ALLOWABLE
    reason: str = ""

    def __post_init__(self) -> None:
        unknown = [one for one in self.allows if one not in ALLOWABLE]
        if not self.code or unknown or not self.allows:
            msg = (
                f"exception {self.code or '(no code)'} must name a cell and allow some of "
                f"{', '.join(ALLOWABLE)}, got {', '.join(map(str, unknown)) or 'nothing'}"
            )
            raise InputError(msg)
        object.__setattr__(self, "allows", tuple(DefectKind(one) for one in self.allows))


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdBand:
    """How many households a cell should hold; either end may be open.

    Attributes
    ----------
    low, high
        Both ends belong to the band; ``None`` is open.
    is_hard
        Leaving a hard band is a defect, leaving a soft one only shows in the report.
    is_assumption
        No source text of the system states this band.
    """

    low: int | None = None
    high: int | None = None
    is_hard: bool = False
    is_assumption: bool = False

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if end is not None and end < 0:
                msg = f"a household band cannot have a negative end: {self.low}-{self.high}"
                raise InputError(msg)
        if self.low is not None and self.high is not None and self.low > self.high:
            msg = f"the household band {self.low}-{self.high} is upside down: swap its ends"
            raise InputError(msg)

    def __contains__(self, households: float) -> bool:
        above = self.low is None or households >= self.low
        below = self.high is None or households <= self.high
        return above and below

    @property
    def target(self) -> float | None:
        """The middle of the band, or its only end; ``None`` when both are open."""
        ends = [end for end in (self.low, self.high) if end is not None]
        return sum(ends) / len(ends) if ends else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a scheme.

    Attributes
    ----------
    key
        The ASCII name: layer of the plan file, argument of ``plan.cells``.
    name, aliases
        The Chinese name and its other names (一般网格 = 基础网格).
    contract
        What the level promises about covering its parent.
    band
        Households per cell; ``None`` where the system states none.
    kinds
        Kinds of cell that it allows; the first is the ordinary one.
    unbalanced_kinds
        Those of ``kinds`` that no household band judges (专属网格: a market, a school).
    spanning_kinds
        Those of ``kinds`` that may lie in several parents (区域特色网格).
    code_width
        Digits that a cell adds to its parent's code.
    name_template
        ``{parent}``, ``{n}`` and ``{code}`` are filled in.
    head_title
        Title of the person in charge of a cell (网格长 …).
    may_span_parents
        Whether every cell may lie in several parents; a check lists those that do.
    """

    key: str
    name: str
    contract: Contract = Contract.AREA
    aliases: tuple[str, ...] = ()
    band: HouseholdBand | None = None
    kinds: tuple[str, ...] = ("普通",)
    code_width: int = 2
    name_template: str = "{parent}{n}"
    head_title: str = ""
    may_span_parents: bool = False
    unbalanced_kinds: tuple[str, ...] = ()
    spanning_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A plan file gives lists back, and a level must stay hashable.
        for name in ("unbalanced_kinds", "spanning_kinds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def answers_to(self, name: str) -> bool:
        """Tell whether ``name`` is this level's key, name or one of its aliases."""
        return name in (self.key, self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """An ordered list of levels, coarse to fine, below the district itself.

    ``exceptions`` names single cells that may do what others may not.
    """

    key: str
    title: str
    levels: tuple[Level, ...]
    source: str = ""
    exceptions: tuple[CellException, ...] = ()

    def __post_init__(self) -> None:
        # A plan file gives tables back.
        listed: tuple[CellException | dict[str, Any], ...] = tuple(self.exceptions)
        exceptions = tuple(CellException(**one) if isinstance(one, dict) else one for one in listed)
        object.__setattr__(self, "exceptions", exceptions)
        if not self.levels:
            msg = f"scheme {self.key} has no level: give at least one"
            raise InputError(msg)
        names = [name for level in self.levels for name in (level.key, level.name, *level.aliases)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"scheme {self.key} uses the level name {twice[0]} twice: names must be unique"
            raise InputError(msg)

    def level(self, name: str) -> Level:
        """Return the level that answers to a key, a name or an alias.

        Raises
        ------
        InputError
            If no level does; the message lists those there are.
        """
        for level in self.levels:
            if level.answers_to(name):
                return level
        known = ", ".join(f"{level.key} ({level.name})" for level in self.levels)
        msg = f"scheme {self.key} has no level {name}: use one of {known}"
        raise InputError(msg)

    @property
    def area_levels(self) -> tuple[Level, ...]:
        """The levels whose cells tile their parent, coarse to fine."""
        return tuple(level for level in self.levels if level.contract is Contract.AREA)

    def parent_of(self, level: Level) -> Level | None:
        """Return the next coarser level, ``None`` for the coarsest."""
        position = self.levels.index(level)
        return self.levels[position - 1] if position else None
