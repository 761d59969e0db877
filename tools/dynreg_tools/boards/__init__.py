"""Boards on a bench, one or twenty, over their serial ports."""
