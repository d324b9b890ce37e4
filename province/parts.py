"""What the routes of a hub work with."""

from dataclasses import dataclass

from province.access.gate import Gate
from province.guards import Backlogs, RateLimit
from province.hub_key import HubKey
from province.observe import Metrics
from province.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """The open store, the hub's key, the gate for readers, metrics, limits per station and of backlogs."""

    store: Store
    key: HubKey
    gate: Gate
    metrics: Metrics
    limit: RateLimit
    backlogs: Backlogs
    demo: bool
