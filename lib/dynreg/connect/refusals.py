"""What a handshake or a login that was refused says; loaded only when one is."""

from micropython import const

from .. import port
from ..errors import CertificateError, LoginError, NetworkError

_MOST_REFUSALS = const(3)  # in a row, soon; then later: a person must look
_REFUSALS = const(
    (
        "unknown reason",
        "protocol version not taken",
        "client id not taken",
        "bad credentials",
        "bad user name or password",
        "not authorised",
    )
)
_ADVICE = const(
    "is the device disabled in the console? If it was deleted there, erase its credential with "
    "Device.forget(confirm=product id) and reset"
)


def refusal(history, code):
    """The LoginError for a CONNACK with this code; counted in history (see notes.read())."""
    history["refusals"] += 1
    soon = code > 2 and history["refusals"] < _MOST_REFUSALS
    text = "the broker refuses the login: %s (CONNACK %d)" % (
        _REFUSALS[code if 0 < code < 6 else 0],
        code,
    )
    if code > 2 and not soon:
        text = "%s, %d times: %s" % (text, history["refusals"], _ADVICE)
    return LoginError("login.%d" % code, text, soon or None)


def untrusted(host, error):
    """The error for a handshake that failed so: CertificateError where host is not who it is."""
    # X509_CERT_VERIFY_FAILED, CA_CHAIN_REQUIRED, BAD_CERTIFICATE
    if not isinstance(error, ValueError) and error.args[:1] not in (
        (-0x2700,),
        (-0x7680,),
        (-0x7A00,),
    ):
        return NetworkError(
            "network.tls",
            "no secure connection to %s: %r: does it speak TLS 1.2 on that port?" % (host, error),
        )
    why = "%s is not trusted: %s" % (host, str(error).strip().replace("\n", ", "))
    if " CA" in why:
        why += ": the CA of a server of your own goes into gatewayCa or mqttCa"
    elif "Common Name" in why:
        why += ": write the name that the certificate is made for"
        if host[-1:].isdigit():
            why += "; before MicroPython 1.24 an address must be among its DNS names"
    if port.unix_time():
        return CertificateError("certificate.date" if "e validity " in why else "certificate", why)
    # A later try may find a time source, and then judge.
    return NetworkError("network.clock", why + " (but the clock is not set)")
