"""The hub's pages: what they have in common is in `frame`, each room has modules of its own."""
