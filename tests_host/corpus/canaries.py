"""The secrets that the corpus uses, and the search for them in what was printed.

Plain values only: MicroPython reads this file too.
"""

from binascii import a2b_base64, b2a_base64, hexlify

PRODUCT_SECRET = "CanaryProductSecret+42/x"
DEVICE_SECRET = "Y2FuYXJ5LWRldmljZS1rZXk="
WIFI_PASSWORD = "canary wi-fi password"


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
    # The half of the product secret that is the key of the registration's reply.
    yield "the product secret's first half", PRODUCT_SECRET[:16]


def leaks(output):
    """What of the secrets stands in output, as a list of words."""
    lower = output.lower()
    return [what for what, text in forms() if text.lower() in lower]
