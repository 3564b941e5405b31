"""A refresh looks at the tokens that may still lead somewhere, and not at all that were ever spent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SEALED = sa.text("sealed_successor IS NOT NULL")
UNSPENT = sa.text("spent_at IS NULL")


def upgrade() -> None:
    for name, where in (("sealed", SEALED), ("unspent", UNSPENT)):
        op.create_index(
            f"ix_refresh_tokens_{name}",
            "refresh_tokens",
            ["session_id"],
            sqlite_where=where,
            postgresql_where=where,
        )


def downgrade() -> None:
    for name in ("unspent", "sealed"):
        op.drop_index(f"ix_refresh_tokens_{name}", table_name="refresh_tokens")
