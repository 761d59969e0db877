"""The data template of IoT Explorer: properties, events, actions (docs/protocol.md, 7c).

from dynreg.services.thing import Thing

def control(params):
    led.value(params["power_switch"])
    thing.report(params, ms=0)

thing = Thing(session, control)
thing.report({"brightness": 32})
while True:
    session.poll(1000)
    thing.sync()
"""

import ujson as json
from micropython import const

from .. import log, port
from ..errors import ConfigError
from ._replies import Requests, as_dict

_REFUSED = const(1)  # code of what the program does not do,
_INVALID = const(406)  # and of what the template does not allow, as the cloud's own


class Thing(Requests):
    """control(params): what the cloud sets, a dict; called within poll(), also with what was set
    while the board was offline. action(name, params): what it is to do; the dict that it returns
    is the response. Either may return a str in its place: why it was not done.

    template: a Template (services/template.py): what it does not allow is neither sent nor taken.
    LoginError where the cloud does not grant a topic; NetworkError.
    """

    CODE = "code"

    def __init__(self, session, control=None, action=None, template=None):
        super().__init__(session)
        self._control = control
        self._action = action
        self._template = template
        self._events = False
        self._subscribe("property")
        if action:
            self._subscribe("action")

    def report(self, params, ms=10000):
        """Reports properties (dict).

        ms: how long to wait for the reply; 0, as within a callback, waits for none, and the log
        says if it was refused. NetworkError: not sent, or "network.timeout"; ProtocolError
        "service.refused" with .cloud_code; ConfigError: not of the template.
        """
        self._valid("properties", None, params)
        self._send("property", {"method": "report", "params": params}, ms)

    def post(self, event, params, kind="info", ms=10000):
        """Reports an event (its id) with its params (dict); kind: "info", "alert" or "fault".

        ms and errors: as report().
        """
        self._valid("events", event, params)
        if not self._events:
            self._subscribe("event")
            self._events = True
        message = {"method": "event_post", "version": "1.0", "eventId": event, "type": kind}
        message["params"] = params
        self._send("event", message, ms)

    def report_info(self, params, ms=10000):
        """Reports what the board is: fw_ver, mac, module_hardinfo, module_softinfo, device_label…

        ms and errors: as report().
        """
        self._send("property", {"method": "report_info", "params": params}, ms)

    def read(self, ms=10000):
        """What the cloud has: {"report": …, "control": …}, each where there is one; None for ms=0.

        ms and errors: as report().
        """
        message = {"method": "get_status", "type": "report"}
        reply = self._ask(self._topic("up", "property"), message, ms)
        return reply and as_dict(reply.get("data"))

    def _send(self, kind, message, ms):
        if port.unix_time():
            message["timestamp"] = port.unix_ms()
        self._ask(self._topic("up", kind), message, ms)

    def _topic(self, way, kind):
        return "$thing/%s/%s/%s" % (way, kind, self.session.info.owner)

    def _subscribe(self, kind):
        self.session.subscribe(self._topic("down", kind), self._arrived)

    def _got(self, value):
        method = value.get("method")
        if method == "control":
            self._answer("property", value, self._set(value.get("params")))
        elif method == "action":
            name, params = value.get("actionId"), value.get("params")
            outcome = self._run("actions", name, params, lambda p: self._action(name, p))  # pyright: ignore
            self._answer("action", value, outcome)
        elif self._replied(value) and method == "get_status_reply":
            self._since = self.session.since
            params = as_dict(value.get("data")).get("control")
            if params and not self._set(params)[0]:
                self._publish("property", "clear_control", value, {})

    def _set(self, params):
        return self._run("properties", None, params, self._control)

    def _run(self, part, name, params, handler):
        """(code, status, response) of a handler, or of why it was not called."""
        fault = self._template and self._template.fault(part, name, params, True)
        if fault:
            return _INVALID, fault, None
        result = handler(as_dict(params)) if handler else "nothing does that here"
        if isinstance(result, str):
            return _REFUSED, result, None
        return 0, "", result

    def _answer(self, kind, value, outcome):
        code, status, response = outcome
        message = {"code": code, "status": status}
        if code:
            log.warning("thing: %s refused: %s" % (value["method"], status))
        if response is not None:
            message["response"] = response
        self._publish(kind, value["method"] + "_reply", value, message)

    def _publish(self, kind, method, value, message):
        message.update({"method": method, "clientToken": value.get("clientToken")})
        self.session.publish(self._topic("up", kind), json.dumps(message))

    def _valid(self, part, name, params):
        fault = self._template and self._template.fault(part, name, params)
        if fault:
            raise ConfigError("argument", "thing: " + fault)
