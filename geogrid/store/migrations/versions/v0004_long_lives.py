"""Indexes that keep a plan of thousands of versions as fast as one of five.

Which cells a version took out and put in, and what was said of one subject, are found without
looking at everything that came before.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_span_from", "span", ["branch_id", "from_number"], unique=False)
    op.create_index("ix_span_to", "span", ["branch_id", "to_number"], unique=False)
    op.create_index("ix_audit_subject", "audit", ["subject", "seq"], unique=False)
