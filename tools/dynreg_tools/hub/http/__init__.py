"""The registration gateway."""
