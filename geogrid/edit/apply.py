"""Apply a command to a plan: a new plan, what changed, and its proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.edit._borders import move_run, move_vertex, snap_to_streets
from geogrid.edit._draft import Draft
from geogrid.edit._finish import finish, proven
from geogrid.edit._listing import edit_lists
from geogrid.edit._relabel import assign_kind, create, merge, paint, rename
from geogrid.edit._settle import require_allowed
from geogrid.edit._split import split
from geogrid.edit.change import Edit
from geogrid.edit.commands import (
    AssignKind,
    Create,
    Merge,
    MoveRun,
    MoveVertex,
    Paint,
    Rename,
    SnapToStreets,
    Split,
)
from geogrid.planar.crs import to_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd

    from geogrid.edit.commands import Command
    from geogrid.edit.locks import Locks
    from geogrid.model.plan import GridPlan

__all__ = ["apply", "draft_of"]

_DO: dict[type, Callable[..., None]] = {
    Paint: paint,
    Create: create,
    Merge: merge,
    Split: split,
    MoveVertex: move_vertex,
    MoveRun: move_run,
    SnapToStreets: snap_to_streets,
    AssignKind: assign_kind,
    Rename: rename,
}


def apply(
    plan: GridPlan,
    command: Command,
    *,
    households: gpd.GeoDataFrame | None = None,
    locks: Locks | None = None,
    reserved: Iterable[str] = (),
) -> Edit:
    """Apply one command to a plan.

    Parameters
    ----------
    plan
        The plan; it is not changed. Without a certificate it is proven first.
    command
        What to do.
    households
        Points with ``households`` (and ``household_id`` where the plan has lists): they say where
        the households of atoms live that are cut or redrawn.
    locks
        What must stay as it is.
    reserved
        Codes that were used in versions that were undone: they are not given again.

    Returns
    -------
    Edit
        ``.plan``, ``.change`` and ``.certificate``; the same plan where nothing changes. Only
        cells that changed are drawn and proven again, and the certificate is what
        :func:`geogrid.verify_plan` says of the new plan.

    Raises
    ------
    EditError
        If the command is refused: it names cells that are not there, would tear or empty a cell,
        cross a border, move the district's limit, or touch what is locked or official.
    InputError
        If there is no such level, or all numbers below a parent were used.
    """
    base = proven(plan)
    draft = draft_of(base, command, households=households)
    allows = bool(getattr(command, "allow_disconnected", False))
    edited, change = finish(
        draft, named=command.to_dict(), reserved=reserved, allow_disconnected=allows
    )
    if locks is not None:
        locks.require(change)
    return Edit(plan=edited, change=change, command=command)


def draft_of(
    plan: GridPlan, command: Command, *, households: gpd.GeoDataFrame | None = None
) -> Draft:
    """Return what a command does to atoms and labels, before codes, polygons and proofs."""
    points = households
    if points is not None and points.crs is not None and points.crs != plan.district.crs:
        points = points.to_crs(plan.district.crs) if plan.district.crs else to_metric(points)
    draft = Draft(plan, points)
    # Lists of households change no ground: nothing that is official moves.
    if edit_lists(draft, command):
        return draft
    _DO[type(command)](draft, command)
    stays = getattr(command, "within_parent", False)
    level = draft.area_level(command.level) if stays and hasattr(command, "level") else None
    require_allowed(draft, within=level)
    return draft
