"""What the store says about plans: small values that never change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geogrid.model.report import Certificate
from geogrid.vocabulary import PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

__all__ = [
    "Branch",
    "CellChange",
    "PlanEntry",
    "Project",
    "Standing",
    "Step",
    "Version",
    "VersionDiff",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A piece of work (一次网格调整) with its plans."""

    id: str
    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """A plan with its versions."""

    id: str
    project_id: str
    name: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A line of versions.

    Attributes
    ----------
    head
        The version at its tip; "" before the first.
    """

    id: str
    plan_id: str
    name: str
    head: str
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a plan, for ever as it is.

    Attributes
    ----------
    id, plan_id, branch_id
        Its name, its plan, and the branch that it was committed to.
    number
        Counts the versions of the plan over all branches, from 1.
    parent_id, merged_id
        What it was made from, and what was merged in; "" where there is none.
    author, message, created_at
        Who made it, why, and when (UTC).
    is_draft
        Whether it is not proven; ``defects`` says what is open.
    holds_people
        Whether it lists single households: then it must not leave the office whole.
    certificate
        What was proven of it, also where the proof failed.
    defects
        Open defects, worst first: ``kind level cells area_m2 width_m households severity``.
    """

    id: str
    plan_id: str
    branch_id: str
    number: int
    parent_id: str
    merged_id: str
    author: str
    message: str
    created_at: str
    is_draft: bool
    holds_people: bool
    certificate: Certificate | None
    defects: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a version says of how it was made, and nothing of what is in it.

    Attributes
    ----------
    id, number, parent_id, author, message
        As in :class:`Version`.
    gone
        Codes that its parent has and it has not.
    """

    id: str
    number: int
    parent_id: str
    author: str
    message: str
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a version has come.

    Attributes
    ----------
    state
        草案, 已提交, 已审核, 生效 or 归档.
    effective_from, effective_to
        ISO dates between which it is in force, the last one excluded; "" is open.
    changed_at, changed_by
        When it came there, and who brought it there.
    """

    version_id: str
    state: PlanState
    effective_from: str
    effective_to: str
    changed_at: str
    changed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """Cells of one level that two versions do not have in common, by code.

    Attributes
    ----------
    added, removed
        Codes that only the later or only the earlier version has.
    redrawn
        Codes whose ground is another.
    renamed
        Codes on the same ground with another name, kind, parent, head or count of households.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    redrawn: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """All of them, sorted."""
        return tuple(sorted({*self.added, *self.removed, *self.redrawn, *self.renamed}))


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff:
    """What differs between two versions.

    Attributes
    ----------
    levels
        By key of each level at which any cell differs.
    parts
        Names of other parts that differ: ``atoms``, ``history``, ``roster:lin`` …
    """

    levels: Mapping[str, CellChange]
    parts: tuple[str, ...]


def version_of(row: Row[Any]) -> Version:
    """Return the version that a row holds."""
    proven = None if row.certificate is None else Certificate.from_dict(json.loads(row.certificate))
    return Version(
        id=row.id, plan_id=row.plan_id, branch_id=row.branch_id, number=row.number,
        parent_id=row.parent_id or "", merged_id=row.merged_id or "", author=row.author,
        message=row.message, created_at=row.created_at, is_draft=row.is_draft,
        holds_people=row.holds_people, certificate=proven, defects=tuple(json.loads(row.defects)),
    )  # fmt: skip


def branch_of(row: Row[Any]) -> Branch:
    """Return the branch that a row holds."""
    return Branch(
        id=row.id, plan_id=row.plan_id, name=row.name, head=row.head_id or "",
        created_at=row.created_at, created_by=row.created_by,
    )  # fmt: skip


def standing_of(row: Row[Any]) -> Standing:
    """Return the standing that a row holds."""
    return Standing(
        version_id=row.version_id, state=PlanState(row.state),
        effective_from=row.effective_from or "", effective_to=row.effective_to or "",
        changed_at=row.changed_at, changed_by=row.changed_by,
    )  # fmt: skip
