"""The broker: frames, packets, logins, sessions."""
