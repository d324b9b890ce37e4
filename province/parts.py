"""What the routes of a hub work with."""

from dataclasses import dataclass

from province.access.gate import Gate
from province.guards import RateLimit
from province.hub_key import HubKey
from province.observe import Metrics
from province.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """The open store, the hub's key, the gate for readers, metrics, and the limit of batches per station."""

    store: Store
    key: HubKey
    gate: Gate
    metrics: Metrics
    limit: RateLimit
    demo: bool
