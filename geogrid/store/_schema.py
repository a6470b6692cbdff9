"""The tables of the store, the same in both databases.

Spatial indexes differ between databases: they are in ``_backend``, filled together with ``cell``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = [
    "FOREVER",
    "METADATA",
    "account",
    "api_key",
    "audit",
    "branch",
    "cell",
    "file",
    "job",
    "login_session",
    "page",
    "plan",
    "project",
    "role_grant",
    "secret",
    "span",
    "standing",
    "version",
]

# Number of the version that ends the life of a cell that is still there.
FOREVER = 2**31 - 1

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _id() -> Column[Any]:
    return Column("id", String(32), primary_key=True)


def _text(name: str, *, unique: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=False, unique=unique or None, index=index or None)


def _maybe(name: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _to(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    column = ForeignKey(target)
    return Column(name, String(32), column, nullable=nullable, index=index or None)


project = Table(
    "project", METADATA, _id(), _text("name", unique=True), _text("created_at"),
    _text("created_by"),
)  # fmt: skip

plan = Table(
    "plan", METADATA, _id(), _to("project_id", "project.id"), _text("name"), _text("created_at"),
    _text("created_by"), UniqueConstraint("project_id", "name"),
)  # fmt: skip

branch = Table(
    "branch", METADATA, _id(), _to("plan_id", "plan.id"), _text("name"),
    # The version at its tip; it may still be one of the branch that this one left.
    Column("head_id", String(32), nullable=True),
    _text("created_at"), _text("created_by"), UniqueConstraint("plan_id", "name"),
)  # fmt: skip

# Rows here are never changed: triggers forbid it.
version = Table(
    "version", METADATA, _id(),
    _to("plan_id", "plan.id"), _to("branch_id", "branch.id"),
    Column("number", Integer, nullable=False),
    _to("parent_id", "version.id", nullable=True), _to("merged_id", "version.id", nullable=True),
    _text("author"), _text("message"), _text("created_at"),
    Column("is_draft", Boolean, nullable=False),
    Column("holds_people", Boolean, nullable=False),
    _maybe("certificate"), _text("defects"), _text("parts"),
    UniqueConstraint("plan_id", "number"),
)  # fmt: skip

standing = Table(
    "standing", METADATA,
    Column("version_id", String(32), ForeignKey("version.id"), primary_key=True),
    _to("project_id", "project.id", index=True), _text("state"),
    _maybe("effective_from"), _maybe("effective_to"), _text("changed_at"), _text("changed_by"),
)  # fmt: skip

page = Table(
    "page", METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("is_personal", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

cell = Table(
    "cell", METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    _to("plan_id", "plan.id"),
    Column("hash", LargeBinary(32), nullable=False),
    _text("level"), _text("code"), _text("name"), _text("kind"), _text("parent"), _text("head"),
    Column("households", BigInteger, nullable=False),
    _maybe("merchants", BigInteger),
    Column("area_m2", Float(53), nullable=False),
    Column("wkb", LargeBinary, nullable=False),
    UniqueConstraint("plan_id", "hash"),
    Index("ix_cell_code", "plan_id", "code"),
)  # fmt: skip

# From which version of a branch to which (that one excluded) a cell is there.
span = Table(
    "span", METADATA,
    Column("branch_id", String(32), ForeignKey("branch.id"), primary_key=True),
    Column("cell_id", BigInteger, ForeignKey("cell.id"), primary_key=True),
    Column("from_number", Integer, primary_key=True),
    Column("to_number", Integer, nullable=False),
    Index("ix_span_cell", "cell_id"),
    Index("ix_span_from", "branch_id", "from_number"),
    Index("ix_span_to", "branch_id", "to_number"),
)  # fmt: skip

audit = Table(
    "audit", METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _text("at"), _text("actor"), _text("action"), _text("subject"), _text("details"),
    _text("previous"), _text("hash"), Index("ix_audit_subject", "subject", "seq"),
)  # fmt: skip

job = Table(
    "job", METADATA, _id(), _text("kind"), _text("input"), _text("state", index=True),
    Column("progress", Float(53), nullable=False), _text("note"), _maybe("result"),
    _maybe("error"), _text("owner"), Column("is_restartable", Boolean, nullable=False),
    Column("is_cancel_asked", Boolean, nullable=False), Column("attempts", Integer, nullable=False),
    _maybe("worker"), _text("created_at"), _maybe("started_at"), _maybe("beat_at"),
    _maybe("finished_at"), CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    Index("ix_job_created_at", "created_at", "id"),
    Index("ix_job_owner", "owner", "created_at", "id"),
)  # fmt: skip

# What belongs to a project or a plan and is no part of a version.
file = Table(
    "file", METADATA, _id(), _to("project_id", "project.id", index=True),
    _to("plan_id", "plan.id", nullable=True, index=True),
    _to("version_id", "version.id", nullable=True),
    _text("role"), _text("name"), _text("media"), Column("size", BigInteger, nullable=False),
    _text("sha256"), _text("facts"), _text("owner"), _text("created_at"),
    Column("content", LargeBinary, nullable=False),
)  # fmt: skip

account = Table(
    "account", METADATA, _id(), _text("name", unique=True), _text("display_name"),
    _maybe("password_hash"), Column("is_active", Boolean, nullable=False), _text("created_at"),
)  # fmt: skip

# An empty area is the whole store; else a code prefix (街道) that the role ends at.
role_grant = Table(
    "role_grant", METADATA,
    Column("account_id", String(32), ForeignKey("account.id"), primary_key=True),
    Column("role", String(32), primary_key=True), Column("area", String(64), primary_key=True),
)  # fmt: skip

api_key = Table(
    "api_key", METADATA, _id(), _to("account_id", "account.id"), _text("hash", unique=True),
    _text("label"), _text("created_at"), _maybe("expires_at"), _maybe("revoked_at"),
)  # fmt: skip

# One row a sign-in: its token is exchanged in place, and the last one is known for a while.
login_session = Table(
    "login_session", METADATA, _id(), _to("account_id", "account.id", index=True),
    _text("hash", unique=True), _text("started_at"), _text("issued_at"), _text("used_at"),
    _text("expires_at"), Column("old_hash", Text, nullable=True, index=True), _maybe("old_until"),
    _maybe("revoked_at"),
)  # fmt: skip

# What the service signs with, so that its processes know each other's signatures.
secret = Table(
    "secret", METADATA, Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False), _text("created_at"),
)  # fmt: skip
