# ruff: noqa: F821, these functions are the manifest tool's own
# Freezes the library into a MicroPython build; README.md beside this file says how.
# A manifest of your own says: include("…/firmware/manifest.py", port=False)
options.defaults(port=True)
if options.port:  # umqtt.simple and urequests come from there
    include("$(PORT_DIR)/boards/manifest.py")
package("dynreg", base_path="../lib")
package("hub", base_path="../lib")
