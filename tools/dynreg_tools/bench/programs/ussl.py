"""What umqtt.simple 1.3.4 asks for; releases of MicroPython from 1.22 on have no such name."""

from ssl import wrap_socket  # noqa: F401
