"""The hub's routes, one module a room; each has `add_routes(app, parts)`."""
