# ruff: noqa: F821, these functions are the manifest tool's own
# Freezes the library into a MicroPython build; README.md beside this file says how.
# A manifest of your own says: include("…/firmware/manifest.py", port=False)
from pathlib import Path

options.defaults(port=True, services="")  # services="rrpc shadow": of lib/dynreg/services
if options.port:  # umqtt.simple and urequests come from there
    include("$(PORT_DIR)/boards/manifest.py")
library = Path("../lib/dynreg")
left_out = {path.stem for path in (library / "services").iterdir()} - {*options.services.split()}
if options.services:  # what they have in common
    left_out = {name for name in left_out if not name.startswith("_") or name == "__pycache__"}
package(
    "dynreg",
    files=[
        path.relative_to(library).as_posix()
        for path in sorted(library.rglob("*.py"))
        if "services" not in path.parts or not left_out & {path.stem, path.parent.name}
    ],
    base_path="../lib",
)
package("hub", base_path="../lib")
