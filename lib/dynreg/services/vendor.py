"""The vendor SDK's names for the services, on hub.hub's QcloudHub (docs/protocol.md, 9).

    import dynreg.services.vendor

in boot.py or the program, once. Results are (0, mid) or (-1, mid), as with all of that façade, and
callbacks get (topic, qos, payload, userdata).
"""

from hub.hub import QcloudHub

from ..errors import ConfigError

_MOST = 16  # calls that wait for their answer; the oldest is forgotten then


class Property:
    """What shadowJsonConstructReport() takes; type: "int", "float", "string"…, not looked at."""

    def __init__(self):
        self.key = self.data = self.type = None


class HubState:
    """What getConnectState() gives."""

    INITIALIZED = 1
    CONNECTED = 3
    DISCONNECTED = 5


def getConnectState(hub):
    if hub.isMqttConnected():
        return HubState.CONNECTED
    return HubState.DISCONNECTED if hub._runs else HubState.INITIALIZED


def setReconnectInterval(hub, max_sec, min_sec):
    """Changes nothing: dynreg waits by what has failed (docs/timeouts.md)."""


def setMessageTimout(hub, timeout):
    """Changes nothing: a message with QoS 1 has 60 s."""


def broadcastInit(hub, productId, deviceName, callback):
    """callback for each message to all devices."""
    return _listen(hub, "$broadcast/rxd", productId, deviceName, callback)


def shadowInit(hub, productId, deviceName, callback):
    """callback for each answer and each delta, as JSON gives it."""
    return _listen(hub, "$shadow/operation/result", productId, deviceName, callback)


def getShadow(hub, productId, deviceName):
    message = {"type": "get", "clientToken": _token(hub, productId)}
    return shadowUpdate(hub, productId, deviceName, message)


def shadowUpdate(hub, productId, deviceName, shadow_docs, length=None):
    """Sends what a shadowJsonConstruct…() has made; length is not used."""
    return hub.publish("$shadow/operation/%s/%s" % (productId, deviceName), shadow_docs, 0)


def shadowJsonConstructReport(hub, productId, deviceName, *args):
    reported = {one.key: one.data for one in args}
    return _update(hub, productId, {"reported": reported})


def shadowJsonConstructDesireAllNull(hub, productId, deviceName):
    return _update(hub, productId, {"desired": None})


def rrpcInit(hub, productId, deviceName, callback):
    """callback for each call, whose topic comes without the call's own id, as the vendor's."""
    topic = "$rrpc/rxd/%s/%s" % (productId, deviceName)
    calls = hub.rrpc_calls = []

    def arrived(whole, message):
        hub.rrpc_call = whole[len(topic) + 1 :]
        calls.append(hub.rrpc_call)
        del calls[:-_MOST]
        try:
            hub._arrived(topic, message)
        finally:
            hub.rrpc_call = None

    hub.registerUserCallback(topic, callback)
    return hub._do("subscribe", lambda session: session.subscribe(topic + "/+", arrived), topic, 0)


def rrpcReply(hub, productId, deviceName, reply, length=None):
    """Answers the call whose callback runs, else the oldest; length is not used."""
    calls = hub.rrpc_calls
    if not calls:
        return hub._do("rrpc", _no_call, reply)
    one = hub.rrpc_call if hub.rrpc_call in calls else calls[0]
    calls.remove(one)
    return hub.publish("$rrpc/txd/%s/%s/%s" % (productId, deviceName, one), reply, 0)


def _no_call(session):
    raise ConfigError("argument", "no call waits for an answer")


def _listen(hub, prefix, productId, deviceName, callback):
    topic = "%s/%s/%s" % (prefix, productId, deviceName)
    hub.registerUserCallback(topic, callback)
    return hub.subscribe(topic, 0)


def _update(hub, productId, state):
    return {"type": "update", "state": state, "clientToken": _token(hub, productId)}


def _token(hub, productId):
    hub.tokens += 1
    return "%s-%d" % (productId, hub.tokens)


QcloudHub.tokens = 0  # pyright: ignore
QcloudHub.rrpc_calls = ()  # pyright: ignore
QcloudHub.rrpc_call = None  # pyright: ignore
QcloudHub.HubState = HubState  # pyright: ignore
QcloudHub.device_property = Property  # pyright: ignore
for _function in (
    getConnectState,
    setReconnectInterval,
    setMessageTimout,
    broadcastInit,
    shadowInit,
    getShadow,
    shadowUpdate,
    shadowJsonConstructReport,
    shadowJsonConstructDesireAllNull,
    rrpcInit,
    rrpcReply,
):
    setattr(QcloudHub, _function.__name__, _function)
