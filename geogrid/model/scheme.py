"""Levels and schemes: how a place divides itself, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geogrid.errors import InputError
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    def ends_zh(self) -> str:
        """What people read for the ends; empty when both are open."""
        if self.high is None:
            return "" if self.low is None else f"不少于 {self.low} 户"
        return f"不超过 {self.high} 户" if self.low is None else f"{self.low}–{self.high} 户"

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
        ``{parent}``, ``{n}``, ``{code}``, ``{district}`` and the names of coarser levels
        (``{村社区}``) are filled in.
    head_title
        Title of the person in charge of a cell (网格长 …).
    may_span_parents
        Whether every cell may lie in several parents; a check lists those that do.
    kind_counts
        Pairs of a kind and what a cell of it counts where that is not ``households``
        (街区: ``merchants``).
    kind_totals
        Pairs of a kind and how many cells of it the source text states.
    count
        How many cells the source text states for the whole place; ``None`` where it does not.
    locked
        An administrative level: its cells are official, fixed, and given from outside.
    one_to_one
        Key of the level above of which each cell has exactly one cell here; "" where there is
        no such rule.
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
    kind_counts: tuple[tuple[str, str], ...] = ()
    kind_totals: tuple[tuple[str, int], ...] = ()
    count: int | None = None
    locked: bool = False
    one_to_one: str = ""

    def __post_init__(self) -> None:
        # A plan file gives lists back, and a level must stay hashable.
        for name in ("unbalanced_kinds", "spanning_kinds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("kind_counts", "kind_totals"):
            object.__setattr__(self, name, tuple(tuple(pair) for pair in getattr(self, name)))

    def counted_in(self, kind: str) -> str:
        """Return what a cell of a kind counts: ``households``, or ``merchants``."""
        return dict(self.kind_counts).get(kind, "households")

    def answers_to(self, name: str) -> bool:
        """Tell whether ``name`` is this level's key, name or one of its aliases."""
        return name in (self.key, self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """An ordered list of levels, coarse to fine.

    The administrative levels on top are ``locked``: their cells are official and given from
    outside. A plan made without them has a scheme without them (:meth:`given`), and its district
    stands above the coarsest level that is left.

    Attributes
    ----------
    key, title, source
        Short name, headline, and the text it was read from.
    levels
        Coarse to fine.
    exceptions
        Single cells that may do what others may not.
    assumptions
        What the source text does not say and this scheme sets all the same.
    notes
        Figures of the source text that disagree with each other; they are shown, never mended.
    """

    key: str
    title: str
    levels: tuple[Level, ...]
    source: str = ""
    exceptions: tuple[CellException, ...] = ()
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("assumptions", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
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

    @property
    def locked_levels(self) -> tuple[Level, ...]:
        """The administrative levels, whose cells are given from outside."""
        return tuple(level for level in self.levels if level.locked)

    @property
    def counts(self) -> dict[str, int]:
        """How many cells the source text states, by key of the levels of which it does."""
        return {level.key: level.count for level in self.levels if level.count is not None}

    def without(self, names: Iterable[str]) -> Scheme:
        """Return the scheme without some of its levels.

        Parameters
        ----------
        names
            Keys, names or aliases. A level that is one-to-one with one of them is no longer.

        Raises
        ------
        InputError
            If the scheme has no such level, or none would be left.
        """
        gone = {self.level(name).key for name in names}
        if not gone:
            return self
        kept = [level for level in self.levels if level.key not in gone]
        free = [replace(one, one_to_one="") if one.one_to_one in gone else one for one in kept]
        return replace(self, levels=tuple(free))

    def given(self, supplied: Iterable[str] = ()) -> Scheme:
        """Return the scheme of a plan for which only some official cells were supplied.

        An administrative level without polygons from outside cannot be drawn by a program: it is
        left out, and the level below it is divided inside the next one above. Where no level
        would have ground, the topmost one stays: its one cell is the district.

        Parameters
        ----------
        supplied
            Keys, names or aliases of the locked levels that are there.
        """
        there = {self.level(name).key for name in supplied}
        gone = [one for one in self.locked_levels if one.key not in there]
        left = self.without(one.key for one in gone)
        top = self.levels[0]
        if left.area_levels or top not in gone or top.count != 1:
            return left
        # Levels that promise households lie in some ground: that of the whole district.
        whole = replace(top, name_template="{parent}")
        levels = (whole, *(level for level in left.levels if level is not top))
        return replace(left, levels=levels)

    def left_out(self, other: Scheme) -> tuple[str, ...]:
        """Return a plain sentence for a plan whose scheme ``other`` lacks some of these levels."""
        there = {level.key for level in other.levels}
        # Of the topmost there is one: the district itself.
        own = {self.levels[0].key} if self.levels[0].count == 1 else set()
        missing = [one for one in self.levels if one.key not in there | own]
        gone = [f"{one.name} {one.key}" for one in missing]
        if not gone:
            return ()
        text = (
            f"{'、'.join(gone)}: official levels that nobody supplied are not in the plan "
            f"(行政层级未给出，方案中略去)"
        )
        return (text,)
