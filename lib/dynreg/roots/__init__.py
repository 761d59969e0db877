"""The built-in roots, a module each, so that one at a time is in memory (docs/protocol.md, 5)."""
