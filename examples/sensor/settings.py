"""What a board of its own may have otherwise."""

SLEEP_S = 600
