"""Fault injection: what can go wrong between a board and the cloud, by name.

catalogue.py is the table, active.py what is switched on; the other modules are the layers, each
with its rows (KINDS). hooks.py is what the hub's layers ask, at one place each: listener.py (tcp,
tls), server.py (psk), gateway.py (http, reply), broker.py and session.py (mqtt, time), sntp.py
and nameserver.py.
"""

from .active import Faults
from .catalogue import CATALOGUE, parse, table
from .hooks import Hooks
from .kinds import Fault, FaultError

__all__ = ["CATALOGUE", "Fault", "FaultError", "Faults", "Hooks", "parse", "table"]
