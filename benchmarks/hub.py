"""How much the province hub costs on PostgreSQL, in ratios to what the database itself can do in the same minute.

``python -m benchmarks.hub`` runs every part, ``python -m benchmarks.hub ingest`` one of them. Prints one JSON document.
Everything runs on this machine: senders, hubs and database share its cores.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from benchmarks import hub_backlog, hub_ingest, hub_reading
from benchmarks.hub_bed import own_postgres

PARTS: dict[str, Callable[[str], dict[str, object]]] = {
    "ingest": hub_ingest.measure,
    "backlog": hub_backlog.measure,
    "feed_95": hub_reading.measure_province,
    "feed_13000": hub_reading.measure_country,
}


def main() -> None:
    """Run the parts that the command line names, or all."""
    wanted = sys.argv[1:] or list(PARTS)
    with own_postgres() as server:
        print(json.dumps({name: PARTS[name](server) for name in wanted}, indent=2))


if __name__ == "__main__":
    main()
