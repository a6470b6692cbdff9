"""The planners' store: plans and their versions in a SQLite file or on a PostGIS server.

A version is kept as pages of columns under the hash of what is in them, so that versions share
all that they have in common, and as rows of cells for questions by place and by code. Nothing is
stored before it is proven, or marked as a draft with its defects; nothing stored ever changes;
everything done is written into a sealed list. Tiles are not kept here: they follow from a version
and are cached by whoever serves them.

Lists of single households are stored with a plan that has them. Their pages are marked
(``page.is_personal``), and so is the version (``holds_people``).
"""

from geogrid.store.accounts import Account, Grant, Secret
from geogrid.store.audit import AuditEntry, AuditVerdict
from geogrid.store.files import NewFile, StoredFile
from geogrid.store.jobs import Job
from geogrid.store.records import (
    Branch,
    CellChange,
    PlanEntry,
    Project,
    Standing,
    Step,
    Version,
    VersionDiff,
)
from geogrid.store.sessions import OpenSession
from geogrid.store.store import Store, open_store

__all__ = [
    "Account",
    "AuditEntry",
    "AuditVerdict",
    "Branch",
    "CellChange",
    "Grant",
    "Job",
    "NewFile",
    "OpenSession",
    "PlanEntry",
    "Project",
    "Secret",
    "Standing",
    "Step",
    "Store",
    "StoredFile",
    "Version",
    "VersionDiff",
    "open_store",
]
