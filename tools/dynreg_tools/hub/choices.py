"""What an option of the hub may be; needs no package, so that the command's help does not."""

AUTH_MODES = KEY, CERTIFICATE = "key", "cert"
KEY_KINDS = "rsa", "ec"  # of a certificate: 2048 bits, P-256
REGISTER_LIMIT = 1000
