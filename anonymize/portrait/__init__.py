"""A portrait of an export for the analyst: what was read and what is unusual."""
