"""The commands of `provincectl`, one module a room; each lists its own in `COMMANDS`."""
