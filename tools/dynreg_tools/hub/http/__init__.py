"""The registration gateway and the control port."""
