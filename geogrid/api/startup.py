"""What happens before the first request: a plan file comes in, and somebody can sign in."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from typing import TYPE_CHECKING

from geogrid.accounts.passwords import hash_password
from geogrid.accounts.roles import Role
from geogrid.errors import CrsError, OutputError
from geogrid.io.plan_file import read_plan
from geogrid.store import Grant

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.model.plan import GridPlan
    from geogrid.store import Store

__all__ = ["FIRST_NAME", "data_folder_of", "first_account", "import_plan"]

FIRST_NAME = "admin"
_ACTOR = "geogrid"
_BRANCH = "main"


def import_plan(
    store: Store, path: Path, *, data: Path | None = None, plan: GridPlan | None = None
) -> str:
    """Put a plan file into a store, unless this very file is in it already.

    Parameters
    ----------
    path
        The plan file.
    data
        Folder that gets a copy of it, for its stations and circles; none is kept when absent.
    plan
        What the file holds, where that is known.

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
    OutputError
        If its copy cannot be written.
    """
    held = plan or read_plan(path)
    if held.district.crs is None:
        msg = f"{path.name} is in plain local metres: to serve it, set a coordinate system"
        raise CrsError(msg)
    message = f"import sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    plans = [one for project in store.projects() for one in store.plans(project.id)]
    for one in plans:
        history = store.history(one.id)
        if history and history[-1].message == message:
            return one.id
    place = held.district.name or path.stem
    project = next((one for one in store.projects() if one.name == place), None)
    if project is None:
        project = store.create_project(place, actor=_ACTOR)
    taken = {one.name for one in store.plans(project.id)}
    name = next(
        one
        for one in (path.stem, *(f"{path.stem} {number}" for number in range(2, len(taken) + 3)))
        if one not in taken
    )
    entry = store.create_plan(project.id, name, actor=_ACTOR)
    if data is not None:
        _keep(path, data / f"{entry.id}.gpkg")
    store.commit(entry.id, _BRANCH, None, held, author=_ACTOR, message=message, allow_draft=True)
    return entry.id


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


def data_folder_of(store: Path) -> Path:
    """Return the folder of what belongs to the plans of a store, made for its owner alone.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    folder = store.with_name(f"{store.name}.data")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        msg = f"the folder {folder} cannot be made ({fault.strerror}): name another --store"
        raise OutputError(msg) from fault
    return folder


def _keep(path: Path, target: Path) -> None:
    try:
        shutil.copyfile(path, target)
        target.chmod(0o600)
    except OSError as fault:
        msg = f"{target} cannot be written ({fault.strerror}): is there room, and the right?"
        raise OutputError(msg) from fault
