"""What `dynreg flash` and `image` are made of: files, partition tables, the ROM loader, boards.

| module | does |
|---|---|
| `chips.py` | firmware/boards.toml: offset and chip id of each chip |
| `partitions.py` | the partition table: where NVS and the file system lie |
| `image.py` | a firmware file, checked as far as it can be without a board |
| `choice.py` | the right one of a folder, by chip, revision and flash size |
| `littlefs.py` | a file system as MicroPython mounts it |
| `batchimage.py` | firmware and all files of a batch in one file |
| `nvs.py` | the credential's record in an NVS partition |
| `contents.py` | does this board hold a credential: by its REPL, else by its flash |
| `rules.py` | what must not happen to a board that holds one |
| `loader.py` | esptool: a board in its ROM loader |
| `job.py` | one board, from the first question to the last check |
| `burn.py` | one board from its image to its report |
"""

BAUD = 460800  # what MicroPython's own instructions use
