"""Every error that geogrid raises on purpose.

::

    GeogridError
    ├── InputError          (also ValueError)    what the user gave cannot be used
    │   ├── CrsError                             no, wrong or mixed coordinate system
    │   └── MissingFileError (also FileNotFoundError)
    ├── CoverageError                            a plan does not cover its district exactly once
    ├── InfeasibleError                          no plan can satisfy what was asked
    ├── OfflineError        (also ConnectionError)  a network service was not reached
    └── OutputError         (also OSError)       a result could not be written

Each message is one plain sentence: what is wrong, where, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "CoverageError",
    "CrsError",
    "GeogridError",
    "InfeasibleError",
    "InputError",
    "MissingFileError",
    "OfflineError",
    "OutputError",
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


class InfeasibleError(GeogridError):
    """No plan can satisfy what was asked."""


class OfflineError(GeogridError, ConnectionError):
    """A service on the network was needed and could not be reached."""


class OutputError(GeogridError, OSError):
    """A result could not be written; nothing was left half-written."""
