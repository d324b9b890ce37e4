"""Schema migrations of the province hub, run by `province.store` at every start."""
