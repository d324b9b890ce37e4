"""Days of facilities whose successor began within a month that is closed already: as they stand now."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Copy them."""
    connection = op.get_bind()
    names = [each["name"] for each in sa.inspect(connection).get_columns("rollup")]
    columns = ", ".join(names)
    values = ", ".join("'fixed'" if name == "grain" else f"rollup.{name}" for name in names)
    same_month = {
        "sqlite": "strftime('%Y-%m', {}) = strftime('%Y-%m', closed_month.month)",
        "postgresql": "date_trunc('month', {}) = date_trunc('month', closed_month.month)",
    }[connection.dialect.name]
    op.execute(
        f"INSERT INTO rollup ({columns}) SELECT {values} FROM rollup "  # noqa: S608 - own names
        "JOIN succession ON succession.old = rollup.facility "
        f"JOIN closed_month ON {same_month.format('succession.day')} AND {same_month.format('rollup.start')} "
        "WHERE rollup.grain = 'day' AND succession.day > closed_month.month"
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("DELETE FROM rollup WHERE grain = 'fixed'")
