"""Every error that geogrid raises on purpose.

::

    GeogridError
    ├── InputError          (also ValueError)    what the user gave cannot be used
    │   ├── CrsError                             no, wrong or mixed coordinate system
    │   └── MissingFileError (also FileNotFoundError)
    ├── CoverageError                            a plan does not cover its district exactly once
    ├── EditError                                an edit was refused; nothing was changed
    ├── InfeasibleError                          no plan can satisfy what was asked
    ├── OfflineError        (also ConnectionError)  a network service was not reached
    ├── OutputError         (also OSError)       a result could not be written
    └── StoreError                               the store of plans cannot do what was asked
        ├── NotStoredError  (also LookupError)   it holds no such thing
        ├── StaleVersionError                    somebody else has changed the plan meanwhile
        ├── StateError                           a version or a job may not go into that state
        └── UnreachableError                     its database does not answer, or refused a change

Each message is one plain sentence: what is wrong, where, and what to do next.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CoverageError",
    "CrsError",
    "EditError",
    "GeogridError",
    "InfeasibleError",
    "InputError",
    "MissingFileError",
    "NotStoredError",
    "OfflineError",
    "OutputError",
    "StaleVersionError",
    "StateError",
    "StoreError",
    "UnreachableError",
    "places_of",
]


class GeogridError(Exception):
    """Root of every error raised on purpose."""


class InputError(GeogridError, ValueError):
    """What the user gave cannot be used as it is."""


class CrsError(InputError):
    """The coordinate system is missing, unknown, geographic where metres are needed, or mixed."""


class MissingFileError(InputError, FileNotFoundError):
    """A file that was named does not exist."""


class CoverageError(GeogridError):
    """A plan does not cover its district exactly once."""


class EditError(GeogridError):
    """An edit was refused; the plan is as it was.

    Parameters
    ----------
    message
        One plain sentence.
    cells
        The cells that it is about, as pairs of the key of a level and a code.
    """

    def __init__(self, message: str, cells: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.cells = cells


class InfeasibleError(GeogridError):
    """No plan can satisfy what was asked."""


class OfflineError(GeogridError, ConnectionError):
    """A service on the network was needed and could not be reached."""


class OutputError(GeogridError, OSError):
    """A result could not be written; nothing was left half-written."""


class StoreError(GeogridError):
    """The store of plans cannot be opened, or cannot do what was asked."""


class NotStoredError(StoreError, LookupError):
    """The store holds no project, plan, version, branch, cell, job or user of that name."""


class StaleVersionError(StoreError):
    """Somebody else has changed the plan since the version that an edit started from.

    Attributes
    ----------
    expected, current
        The version that the edit started from, and the one that is there now.
    changed
        By key of each level, the codes of the cells that differ between the two.
    conflict
        What a merge said it could not bring together; ``None`` where none was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        expected: str = "",
        current: str = "",
        changed: Mapping[str, tuple[str, ...]] | None = None,
        conflict: object = None,
    ) -> None:
        super().__init__(message)
        self.expected = expected
        self.current = current
        self.changed = dict(changed or {})
        self.conflict = conflict


class StateError(StoreError):
    """A version or a job may not go from the state it is in to the one that was asked for."""


class UnreachableError(StoreError):
    """The database of a store does not answer, or refused a change.

    It names the database, which is for whoever keeps it and not for those who ask from afar.
    """


def places_of(fault: BaseException) -> str:
    """Return where an unforeseen error is; its own words may hold a row of somebody's table."""
    return " > ".join(
        f"{PurePath(one.filename).name}:{one.lineno} {one.name}"
        for one in traceback.extract_tb(fault.__traceback__)
    )
