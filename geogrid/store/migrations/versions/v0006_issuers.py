"""Accounts of a sign-in elsewhere are called by who vouches for them, and not by number alone.

Nobody wrote down who vouched for those of before: they wait under a name of their own until the
service, which knows whom it asks, says it. Names made by hand never begin like theirs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OLD, _WAITING = "oidc:", "oidc:? "


def upgrade() -> None:
    """Call each account by its number and a mark that its issuer is not known."""
    account = sa.table("account", sa.column("id", sa.String), sa.column("name", sa.Text))
    connection = op.get_bind()
    rows = connection.execute(sa.select(account).where(account.c.name.startswith(_OLD))).all()
    for row in rows:
        name = f"{_WAITING}{row.name.removeprefix(_OLD)}"
        connection.execute(account.update().where(account.c.id == row.id).values(name=name))
