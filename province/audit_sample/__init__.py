"""A month's random sample of chip lookups whose evidence each facility must show."""
