"""Time and names over UDP."""
