"""The packaged registry: 95 facilities of Hau Giang and their dated versions (health-data-standards.md 2.2)."""
