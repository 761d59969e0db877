"""More time for a watchdog that runs, as its port allows. Device side.

An ESP32's can be given another time-out; it cannot be stopped. Without a watchdog this starts one.
"""

import machine

machine.WDT(timeout=600000)
