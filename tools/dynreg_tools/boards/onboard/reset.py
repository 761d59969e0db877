"""A hard reset, from which nothing comes back. Device side."""

import machine

machine.reset()
