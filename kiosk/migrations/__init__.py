"""Schema history of the kiosk's store, run by ``kiosk.store`` inside one transaction.

Revisions are numbered in order, and each is in the file that its number begins (``0002_chip.py``).
"""

from __future__ import annotations

from importlib import resources
from typing import Final

import sqlalchemy as sa

from kiosk.errors import StoreUnusable

_TABLE: Final = "alembic_version"


def newest() -> str:
    """The revision of this code, such as ``0003``."""
    names = (file.name for file in resources.files(f"{__name__}.versions").iterdir())
    return max(name.partition("_")[0] for name in names if name[0].isdigit())


def is_newest(connection: sa.Connection) -> bool:
    """Whether the schema on *connection* is of this code's revision."""
    if not sa.inspect(connection).has_table(_TABLE):
        return False
    found = connection.execute(sa.text(f"SELECT version_num FROM {_TABLE}")).scalars()  # noqa: S608 - a constant
    return found.all() == [newest()]


def upgrade(connection: sa.Connection) -> None:
    """Take every step to the newest revision in the transaction of *connection*; nothing, if it is there.

    StoreUnusable for a revision that this code does not know.
    """
    if is_newest(connection):
        return
    import alembic.command  # noqa: PLC0415 - 10 MB that stay, for work that one start in a hundred has
    import alembic.config  # noqa: PLC0415
    import alembic.util.exc  # noqa: PLC0415

    config = alembic.config.Config()
    config.set_main_option("script_location", __name__.replace(".", ":", 1))
    config.attributes["connection"] = connection
    try:
        alembic.command.upgrade(config, "head")
    except alembic.util.exc.CommandError:
        raise StoreUnusable("a newer version of this program made the store") from None
