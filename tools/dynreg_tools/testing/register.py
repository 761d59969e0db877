"""Registers, logs in and ends: what a board that is provisioned has behind it. Device side."""

from dynreg import Device

Device().connect().disconnect()
print("registered")
