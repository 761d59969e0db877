"""The script the unix port runs at every start of the board. Argument: the relay's line, its fd.

Device side. It leaves nothing in __main__: the namespace belongs to boot.py, main.py and the REPL.
"""

__import__("_boot").start(globals())
