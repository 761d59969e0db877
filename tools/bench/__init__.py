"""`./dev bench`: what a boot costs in round trips, bytes, heap and flash, and what others cost.

| room | does |
|---|---|
| clients.py, programs/ | what is measured: this library's variants, the obvious program, a peer |
| devices.py, boot.py | a batch of devices, compiled once; one boot, watched |
| namespace.py, forwarder.py, link.py | kernel TCP over two TUN devices, delayed, with loss |
| trace.py | exactly what is counted on the link |
| wire.py, heap.py | medians over the link; the smallest heap by bisection |
| results.py, report.py, chart.py | one dict of all figures, as JSON; as tables; as SVG |
"""
