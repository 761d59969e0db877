"""Fault injection: what can go wrong between a board and the cloud, by name.

catalogue.py is the table, active.py what is switched on; the other modules are the layers, each
with its rows (KINDS). The hub asks `Faults.trigger` at one place in each layer: listener.py (tcp,
tls), server.py (psk), gateway.py (http, reply), broker.py and session.py (mqtt, time), sntp.py
and dns.py.
"""

from .active import Faults, later
from .catalogue import CATALOGUE, parse, table
from .kinds import Fault, FaultError

__all__ = ["CATALOGUE", "Fault", "FaultError", "Faults", "later", "parse", "table"]
