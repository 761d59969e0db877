"""What `dynreg flash` is made of: images, partition tables, the ROM loader, what a board holds.

| module | does |
|---|---|
| `chips.py` | firmware/boards.toml: offset and chip id of each chip |
| `partitions.py` | the partition table: where NVS and the file system lie |
| `image.py` | a firmware file, checked as far as it can be without a board |
| `contents.py` | does this board hold a credential: by its REPL, else by its flash |
| `loader.py` | esptool: a board in its ROM loader |
| `job.py` | one board, from the first question to the last check |
"""

BAUD = 460800  # what MicroPython's own instructions use
