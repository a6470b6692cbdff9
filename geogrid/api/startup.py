"""What happens before the first request: a plan file comes in, and somebody can sign in."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from geogrid.accounts.passwords import hash_password
from geogrid.accounts.roles import Role
from geogrid.errors import CrsError
from geogrid.io.plan_file import read_plan
from geogrid.store import Grant
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import first_version, keep_file, keep_households, keep_plan

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

    from geogrid.model.plan import GridPlan
    from geogrid.store import Store, Version

__all__ = ["FIRST_NAME", "first_account", "import_plan"]

FIRST_NAME = "admin"
_ACTOR = "geogrid"


def import_plan(
    store: Store, path: Path, *, plan: GridPlan | None = None,
    households: gpd.GeoDataFrame | None = None,
) -> str:  # fmt: skip
    """Put a plan file into a store, unless this very file is in it already.

    Its stations, circles and served households are kept with it.

    Parameters
    ----------
    path
        The plan file.
    plan
        What the file holds, where that is known.
    households
        Points of the plan's households: they say where people live in atoms that an edit cuts.

    Returns
    -------
    str
        Identifier of the plan.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no plan of geogrid, or one in plain local metres.
    """
    held = plan or read_plan(path)
    message = f"import sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    version = _imported(store, message) or _new_plan(store, path, held, message)
    keep_file(store, version, path, role=FileRole.SERVICE, name=path.name, actor=_ACTOR, facts={})
    if households is not None:
        keep_households(store, version, households, name=path.name, actor=_ACTOR)
    return version.plan_id


def _imported(store: Store, message: str) -> Version | None:
    for project in store.projects():
        for one in store.plans(project.id):
            first = first_version(store, one.id)
            if first is not None and first.message == message:
                return first
    return None


def _new_plan(store: Store, path: Path, plan: GridPlan, message: str) -> Version:
    if plan.district.crs is None:
        msg = f"{path.name} is in plain local metres: to serve it, set a coordinate system"
        raise CrsError(msg)
    place = plan.district.name or path.stem
    project = next((one for one in store.projects() if one.name == place), None)
    if project is None:
        project = store.create_project(place, actor=_ACTOR)
    taken = {one.name for one in store.plans(project.id)}
    name = next(
        one
        for one in (path.stem, *(f"{path.stem} {number}" for number in range(2, len(taken) + 3)))
        if one not in taken
    )
    return keep_plan(store, project.id, name, plan, actor=_ACTOR, message=message)


def first_account(store: Store) -> str:
    """Make the first account of a store that has none.

    It may keep accounts and draw everywhere, so that one person alone can begin; it neither
    approves nor publishes what it drew.

    Returns
    -------
    str
        Its password, which is told this once; "" where there are accounts.
    """
    if store.accounts.all():
        return ""
    password = secrets.token_urlsafe(18)
    store.accounts.add(
        FIRST_NAME, actor=_ACTOR, display_name="管理员",
        password_hash=hash_password(password, name=FIRST_NAME),
        grants=[Grant(Role.ADMIN.value), Grant(Role.PLANNER.value)],
    )  # fmt: skip
    return password
