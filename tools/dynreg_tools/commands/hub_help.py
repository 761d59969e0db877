"""The help of `dynreg hub`, which documents ports and events too."""

import textwrap

from ..hub.events import EVENTS

PROG = "dynreg hub"
SECRET_VARIABLE = "DYNREG_PRODUCT_SECRET"
_WIDTH = 96

DESCRIPTION = """\
A local stand-in for Tencent Cloud IoT Hub, for development and tests:
registration over HTTP and HTTPS, MQTT over TCP and TLS, the time over SNTP."""
_EXAMPLE = f"""\
example:
  {PROG} --data hub-data --port-base 8080 --device esp32-a0b1c2d3e4f5

  Prints where all of it is once all ports are open, the page for a browser first, then a line
  for every event; in a pipe, or with --json, JSON lines. The first ("ready") has the URLs, the CA
  certificate's files (put ca_der on the board), the product id, its auth mode, whether mqtts
  takes TLS-PSK (psk; not every Python can), and product_secret when the hub made it itself. Every
  other has "event" and "at" (UTC), with --payloads also "payload" ("text" or "hex") where it is a
  message. No line ever holds a device secret, a private key, a password or a signature. Who stops
  reading does not stop the hub; who closes the pipe does, and so does Ctrl-C.

while it runs (each with --help; docs/hub.md):
  {PROG} devices
  {PROG} send esp32-a0b1c2d3e4f5 control '{{"led":1}}'
  {PROG} call esp32-a0b1c2d3e4f5 '{{"led":1}}'
  {PROG} update my_app-1.1.bundle --all
  {PROG} config esp32-a0b1c2d3e4f5 '{{"period":60}}'
  {PROG} watch --event publish

auth modes:
  key    registration gives a device a secret (psk), with which it signs its MQTT password;
         over mqtts the secret may also be the key of TLS-PSK, the client id its identity
  cert   registration gives it a certificate and its key, or with --own-ca confirms the one that
         the device sent along; it logs in with that one over mqtts only, and needs no password
  The mode belongs to the product and is kept with it in --data. It can be changed only while the
  product has no registered device.

ports:
  P http   P+1 https   P+2 mqtt   P+3 mqtts   P+4 ntp (UDP)   P+5 dns (UDP)   P+6 control
  The last is for the page and the HTTP interface (docs/hub.md), on 127.0.0.1 whatever --host says.

faults:
  {PROG} --fault tls-expired@broker --fault 'http-page:503*2'
  {PROG} faults on 'mqtt-connack:5*3'
  {PROG} faults off
  docs/faults.md has the catalogue.

events:
"""


EXAMPLE = _EXAMPLE + "\n".join(
    textwrap.fill(
        f"{name:<19}{meaning}",
        _WIDTH,
        initial_indent="  ",
        subsequent_indent=" " * 21,
        break_on_hyphens=False,
    )
    for name, meaning in EVENTS.items()
)
