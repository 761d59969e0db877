# ruff: noqa: F821, these functions are the manifest tool's own
# Freezes the library into a MicroPython build; README.md beside this file says how.
# A manifest of your own says: include("…/firmware/manifest.py", port=False)
import re
from pathlib import Path

options.defaults(port=True, services="")  # services="rrpc shadow": of lib/dynreg/services
if options.port:  # umqtt.simple and urequests come from there
    include("$(PORT_DIR)/boards/manifest.py")
library = Path("../lib/dynreg")
wanted = options.services.split()
for service in wanted:  # which grows by what each imports of the others
    beside = library / "services" / (service + ".py")
    imports = beside.read_text("utf-8") if beside.exists() else ""
    wanted += {*re.findall(r"(?m)^ *from \.(?: import )?(\w+)", imports)} - {*wanted}
package(
    "dynreg",
    files=[
        path.relative_to(library).as_posix()
        for path in sorted(library.rglob("*.py"))
        if "services" not in path.parts or {*wanted} & {path.stem, path.parent.name}
    ],
    base_path="../lib",
)
package("hub", base_path="../lib")
