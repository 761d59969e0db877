"""On a board with MicroPython only: joins the Wi-Fi, has mip install what /install.json names."""

import gc
import json
import sys
import time

import mip
import network

with open("/install.json") as file:
    todo = json.load(file)
station = network.WLAN(network.STA_IF)
station.active(True)
station.connect(*todo["wifi"])
while not station.isconnected():
    time.sleep_ms(20)
for url in todo["urls"]:
    mip.install(url)
there = set(sys.modules)
for name in todo["modules"]:
    __import__(name)
    for loaded in set(sys.modules) - there:  # no program has all of them at once
        del sys.modules[loaded]
    gc.collect()
dynreg = __import__("dynreg")
print("dynreg", dynreg.__version__, dynreg.__file__)
