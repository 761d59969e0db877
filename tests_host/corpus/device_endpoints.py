"""device_info.json: regions, and endpoints of one's own."""

from configs import right, wrong


def test_the_hosts_of_every_region():
    domain = "tencentdevices.com"
    for region, gateway, mqtt in (
        ("china", "ap-guangzhou.gateway", "ABCDEFGHIJ.iotcloud"),
        ("us-east", "us-east.gateway", "ABCDEFGHIJ.us-east.iotcloud"),
        ("europe", "europe.gateway", "ABCDEFGHIJ.europe.iothub"),
        ("ap-bangkok", "ap-bangkok.gateway", "ABCDEFGHIJ.ap-bangkok.iothub"),
    ):
        info = right(region=region)
        assert str(info.gateway) == f"https://{gateway}.{domain}:443", region
        assert str(info.mqtt) == f"mqtts://{mqtt}.{domain}:8883", region
        assert info.gateway.secure and info.mqtt.secure
        assert (info.gateway.ca, info.mqtt.ca) == (None, None)


def test_an_unknown_region_is_never_china():
    for region in ("mars", "China", "us", "europe "):
        wrong(("region", "unknown", "ap-bangkok, china, europe, us-east"), region=region)
    for region in (5, "", []):
        wrong(("region", "no text"), region=region)


def test_endpoints_override_the_region_key_by_key():
    info = right(endpoint={"gateway": "https://hub.local:8443", "gatewayCa": "/ca.der"})
    assert str(info.gateway) == "https://hub.local:8443"
    assert (info.gateway.ca, info.gateway.port) == ("/ca.der", 8443)
    assert str(info.mqtt) == "mqtts://ABCDEFGHIJ.iotcloud.tencentdevices.com:8883"
    info = right(endpoint={"mqtt": "mqtt://hub.local", "mqttCa": "/ca.pem"}, region="europe")
    assert (str(info.mqtt), info.mqtt.ca) == ("mqtt://hub.local:1883", "/ca.pem")
    assert str(info.gateway) == "https://europe.gateway.tencentdevices.com:443"


def test_schemes_their_ports_and_whether_they_are_secure():
    for url, number, secure in (
        ("https://h", 443, True),
        ("https://h:443", 443, True),
        ("https://h:80", 80, True),
        ("http://h/", 80, False),
        ("http://h:8080/", 8080, False),
    ):
        gateway = right(endpoint={"gateway": url}).gateway
        assert (gateway.host, gateway.port, gateway.secure) == ("h", number, secure), url
    for url, number, secure in (
        ("mqtts://h", 8883, True),
        ("mqtt://h", 1883, False),
        ("mqtts+psk://h", 8883, True),
    ):
        mqtt = right(endpoint={"mqtt": url}).mqtt
        assert (mqtt.host, mqtt.port, mqtt.secure) == ("h", number, secure), url


def test_endpoints_without_a_scheme():
    remedies = {"gateway": "https://host or http://host", "mqtt": "mqtts://host or mqtt://host"}
    for key in remedies:
        for url in ("hub.local", "hub.local:8443", "//hub.local", "", 5, []):
            wrong(("endpoint." + key, "no scheme", remedies[key]), endpoint={key: url})


def test_endpoints_with_a_wrong_scheme():
    for key, urls in (
        ("gateway", ("mqtts://h", "ftp://h", "HTTPS://h", "://h")),
        ("mqtt", ("https://h", "tls://h", "ws://h")),
    ):
        for url in urls:
            wrong(("endpoint." + key, "no such URL", "://host:port"), endpoint={key: url})


def test_endpoints_without_a_host_or_with_a_path():
    for url in ("https://", "https:///", "https://h/device", "https://:8443"):
        wrong(("endpoint.gateway", "https://host"), endpoint={"gateway": url})


def test_endpoints_with_a_bad_port():
    for number in ("0", "65536", "-1", "x", "80x", "1:2", "8443/path", "1e3"):
        url = "https://h:" + number
        says = ("endpoint.gateway", "no port between 1 and 65535")
        wrong(says, endpoint={"gateway": url})
    assert right(endpoint={"gateway": "https://h:65535"}).gateway.port == 65535


def test_hosts_as_the_vendors_other_sdks_write_them_are_refused():
    for key in ("dynregRegistHost", "otherMqttDomainHost"):
        for value in ("hub.local", "https://hub.local", 5, {"a": 1}):
            wrong((key, "write endpoint.gateway or endpoint.mqtt"), **{key: value})
        for value in (None, "", "YOUR_HOST"):
            assert right(**{key: value}).gateway.secure, value


def test_a_ca_that_is_no_text():
    wrong(("gatewayCa", "no text"), endpoint={"gatewayCa": 5})
    assert right(endpoint={"gatewayCa": None, "mqttCa": ""}).gateway.ca is None
