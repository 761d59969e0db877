"""The vendor SDK's QcloudExplorer: IoT Explorer's data template, on hub.hub's QcloudHub.

    import dynreg.services.vendor_explorer

in boot.py, once: then `from explorer.explorer import QcloudExplorer` works. Here is what it has
besides the names of QcloudHub. Results are (0, mid) or (-1, mid), and callbacks get (topic, qos,
payload, userdata).
"""

import sys

import ujson as json
from hub.hub import QcloudHub

from .. import log
from ._described import Action, Event, Property, every

_KINDS = "property action event service"


class ReplyPara:
    """What a reply says: code (0: done), status_msg (a text or None); timeout_ms is not used."""

    timeout_ms = 0
    code = -1
    status_msg = None


class QcloudExplorer(QcloudHub):
    """As QcloudHub, but for the order of its arguments."""

    ReplyPara = ReplyPara

    def __init__(self, device_file, tls=True, userdata=None, domain=None, useWebsocket=False):
        super().__init__(device_file, userdata, tls, domain, useWebsocket)
        self._properties = self._events = self._actions = ()
        self._token = None  # of the last control or status
        self._tokens = 0

    def templateInit(self, productId, deviceName, propertyCb, actionCb, eventCb, serviceCb):
        """A callback for each kind of message; after that they come."""

        def noted(topic, qos, payload, userdata):
            if payload["method"] in ("control", "get_status_reply") and not payload.get("code"):
                self._token = payload["clientToken"]
            propertyCb(topic, qos, payload, userdata)

        topics = self._topics_down(productId, deviceName)
        for topic, callback in zip(topics, (noted, actionCb, eventCb, serviceCb)):  # noqa: B905
            self.registerUserCallback(topic, callback)
        return self.subscribe([(topic, 0) for topic in topics])

    def templateDeinit(self, productId, deviceName):
        """Ends what templateInit() began."""
        return self.unsubscribe(self._topics_down(productId, deviceName))

    def templateSetup(self, productId, deviceName, config_file=""):
        """Reads the template as the console exports it; 0, or 2 where it cannot be read."""
        try:
            with open(config_file) as file:
                found = json.load(file)
            self._properties = every(Property, found["properties"])
            self._events = every(Event, found["events"])
            self._actions = every(Action, found["actions"])
        except Exception as error:
            log.error("%s: %r" % (config_file, error))
            return 2
        return 0

    def getPropertyList(self, productId, deviceName):
        return self._properties

    def getEventsList(self, productId, deviceName):
        return self._events

    def getActionList(self, productId, deviceName):
        return self._actions

    def templateReportSysInfo(self, productId, deviceName, sysInfo):
        message = self._message(productId, "report_info", params=sysInfo)
        return self.templateReport(productId, deviceName, message)

    def templateGetStatus(self, productId, deviceName):
        """The reply comes to the property's callback."""
        message = self._message(productId, "get_status", type="report", showmeta=0)
        return self.templateReport(productId, deviceName, message)

    def templateJsonConstructReportArray(self, productId, deviceName, payload):
        """What templateReport() is to send."""
        return self._message(productId, "report", params=payload)

    def templateReport(self, productId, deviceName, message, kind="property"):
        topic = "$thing/up/%s/%s/%s" % (kind, productId, deviceName)
        return self.publish(topic, message, 1 if kind == "event" else 0)

    def templateEventPost(self, productId, deviceName, message):
        """message: {"events": [{"eventId", "type", "timestamp", "params"}, …]}."""
        events = message["events"]
        if len(events) == 1:
            message = self._message(productId, "event_post", **events[0])
        else:
            message = self._message(productId, "events_post", events=events)
        return self.templateReport(productId, deviceName, message, "event")

    def templateControlReply(self, productId, deviceName, replyPara):
        """Replies to the control that came last."""
        message = self._reply("control", self._token, replyPara)
        return self.templateReport(productId, deviceName, message)

    def templateActionReply(self, productId, deviceName, clientToken, response, replyPara):
        message = self._reply("action", clientToken, replyPara)
        message["response"] = response
        return self.templateReport(productId, deviceName, message, "action")

    def clearControl(self, productId, deviceName):
        """What was set while the board was offline is done."""
        message = {"method": "clear_control", "clientToken": self._token}
        return self.templateReport(productId, deviceName, message)

    def _topics_down(self, productId, deviceName):
        return ["$thing/down/%s/%s/%s" % (kind, productId, deviceName) for kind in _KINDS.split()]

    def _reply(self, method, token, para):
        message = {"method": method + "_reply", "clientToken": token, "code": para.code}
        if para.status_msg:
            message["status"] = para.status_msg
        return message

    def _message(self, productId, method, **more):
        self._tokens += 1
        more["method"] = method
        more["clientToken"] = "%s-%d" % (productId, self._tokens)
        return more


class _Explorer:
    """Stands in for the vendor's modules explorer and explorer.explorer."""

    QcloudExplorer = QcloudExplorer


_Explorer.explorer = _Explorer  # pyright: ignore
sys.modules["explorer"] = sys.modules["explorer.explorer"] = _Explorer  # pyright: ignore
