"""The `dynreg` command: boards on a bench, one or twenty, over their serial ports."""
