"""`./dev bench`: what a boot costs in round trips, bytes, heap and flash, and what others cost.

| module | does |
|---|---|
| clients.py, programs/ | what is measured: this library's variants, the obvious program, a peer |
| firmware/ | what ESP32 firmware has frozen and an interpreter may lack |
| devices.py, boot.py | a batch of devices, compiled once; one boot, watched |
| namespace.py, forwarder.py, link.py | kernel TCP over two TUN devices, delayed, with loss |
| trace.py | exactly what is counted on the link |
| wire.py | medians over the link |
| memory.py, heap.py | memory on each interpreter; the smallest heap by bisection |
| flashreads.py | how often a boot reads the flash |
| results.py, report.py, chart.py | one dict of all figures, as JSON; as tables; as SVG |
"""
