"""The secrets that the corpus uses, and the search for them in what was printed.

Plain values only: MicroPython reads this file too.
"""

from binascii import a2b_base64, b2a_base64, hexlify

PRODUCT_SECRET = "CanaryProductSecret+42/x"
DEVICE_SECRET = "Y2FuYXJ5LWRldmljZS1rZXk="
WIFI_PASSWORD = "canary wi-fi password"
# No real ones: nothing but TLS looks into them. Of two lines each, as an ending may be cut off.
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBY2FuYXJ5IGNlcnRpZmljYXRlLCB3aGljaCBpcyBubyBzZWNyZXQgYXQgYWxs\n"
    "LiBBbnlib2R5IG1heSBzZWUgaXQu\n"
    "-----END CERTIFICATE-----\n"
)
PRIVATE_KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICY2FuYXJ5IHByaXZhdGUga2V5LCB3aGljaCBubyBvdXRwdXQgbWF5IGhvbGQs\n"
    "IG5laXRoZXIgaW4gcGFydHMu\n"
    "-----END RSA PRIVATE KEY-----\n"
)
PAIR = (CERTIFICATE, PRIVATE_KEY)


def forms():
    """(what it is, the text as it might be printed) for every secret."""
    secrets = (
        ("the product secret", PRODUCT_SECRET.encode()),
        ("the device secret", DEVICE_SECRET.encode()),
        ("the device secret's key", a2b_base64(DEVICE_SECRET)),
        ("the Wi-Fi password", WIFI_PASSWORD.encode()),
    )
    for what, secret in secrets:
        yield what + " in clear", secret.decode()
        yield what + " in hex", hexlify(secret).decode()
        yield what + " in base64", b2a_base64(secret).decode().strip()
    lines = PRIVATE_KEY.split("\n")[1:3]
    der = a2b_base64("".join(lines))
    for what, secret in (
        ("the private key's PEM", PRIVATE_KEY.encode()),
        ("the private key", der),
    ):
        yield what + " in hex", hexlify(secret).decode()
        yield what + " in base64", b2a_base64(secret).decode().strip()
    for line in lines:  # in clear: however the line ends are written
        yield "the private key, a line", line
        yield "the private key, a line in base64", b2a_base64(line.encode()).decode().strip()
        yield "the private key, a line in hex", hexlify(line.encode()).decode()
    # The half of the product secret that is the key of the registration's reply.
    yield "the product secret's first half", PRODUCT_SECRET[:16]


def leaks(output):
    """What of the secrets stands in output, as a list of words."""
    lower = output.lower()
    return [what for what, text in forms() if text.lower() in lower]
