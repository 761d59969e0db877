"""What an option of the hub may be; needs no package, so that the command's help does not."""

from argparse import ArgumentTypeError

AUTH_MODES = KEY, CERTIFICATE = "key", "cert"
KEY_KINDS = "rsa", "ec"  # of a certificate: 2048 bits, P-256
REGISTER_LIMIT = 1000
REGISTER_TYPES = "off", "pre-created", "auto-create"  # 0, 1, 2 on the wire


def register_type(text: str) -> int:
    """Its number, from the number or the name; ArgumentTypeError."""
    for number, name in enumerate(REGISTER_TYPES):
        if text in (name, str(number)):
            return number
    raise ArgumentTypeError(f"{text!r} is none of {', '.join(REGISTER_TYPES)} (0, 1, 2)")
