"""What the cloud does with messages on its own topics: each service a module of its own.

All go one way. service.py says what a service is and what it is given; a service gets a device's
PUBLISH to the topics it names as a Request, answers it or pushes by itself, and keeps what it must
in tables of its own in hub.db. `Services` makes them all; what the cloud's API offers of one is
its public methods, which the HTTP interface (workbench/services.py) and threads.py call.
"""

from .all import Services as Services
