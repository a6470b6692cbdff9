"""Indexes by which jobs are listed a page at a time, those of everybody or of one owner."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_job_created_at", "job", ["created_at", "id"], unique=False)
    op.create_index("ix_job_owner", "job", ["owner", "created_at", "id"], unique=False)
