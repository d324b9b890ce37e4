"""Who may see and do what: callers, their roles and scopes, and the gate before the routes."""
