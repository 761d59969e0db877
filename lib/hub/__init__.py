"""The vendor SDK's package name; see hub.hub."""
