"""Figures of days that people hand in as files: visits, lookups at desks, and what the portal counted (issue 7)."""
