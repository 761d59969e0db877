"""What a MicroPython for WebAssembly lacks of a board's modules: some of os, AES, MD5, sockets,
TLS.

AES and MD5 are Node.js's, by node_runner.mjs. There are no sockets and no TLS: what needs them
says so by fakes.need_tls().
"""

import sys
from binascii import hexlify

_CBC = 2


class _Module:
    pass


class aes:
    """cryptolib's: the chain goes on from call to call."""

    def __init__(self, key, mode, iv):
        if mode != _CBC or len(key) not in (16, 32) or len(iv) != 16:
            raise ValueError("mode, key or IV")
        self._key, self._iv = hexlify(key).decode(), bytes(iv)

    def encrypt(self, data):
        result = self._crypt(data, True)
        self._iv = result[-16:]
        return result

    def decrypt(self, data):
        result = self._crypt(data, False)
        self._iv = bytes(data[-16:])
        return result

    def _crypt(self, data, encrypt):
        import js

        if len(data) % 16:
            raise ValueError("blksize % 16")
        iv = hexlify(self._iv).decode()
        return bytes.fromhex(js.aes_cbc(self._key, iv, hexlify(data).decode(), encrypt))


class md5:
    """hashlib's."""

    def __init__(self, data=b""):
        self._data = data

    def update(self, data):
        self._data += data

    def digest(self):
        import js

        return bytes.fromhex(js.md5(hexlify(self._data).decode()))


class SSLContext:
    """Takes any certificate, and makes no connection."""

    def __init__(self, protocol):
        self.verify_mode = 2

    def load_verify_locations(self, der):
        pass

    def load_cert_chain(self, cert, key):
        pass


def _urandom(count):
    import js

    return bytes([int(js.Math.random() * 256) for _ in range(count)])


def _no_socket(*arguments):
    raise OSError(95)  # EOPNOTSUPP


def install():
    """Where the interpreter has none: what is missing stands in sys.modules, by both its names."""
    # A frozen binascii of Python's own takes no str; the built-in one does.
    sys.modules["binascii"] = __import__("ubinascii")
    uos = __import__("uos")
    if not hasattr(uos, "urandom"):
        os = _Module()
        for name in dir(uos):
            if name[:2] != "__":
                setattr(os, name, getattr(uos, name))
        os.urandom, os.getenv, os.sync = _urandom, lambda name, default=None: default, lambda: None
        sys.modules["os"] = sys.modules["uos"] = os
    uhashlib = __import__("uhashlib")
    if not hasattr(uhashlib, "md5"):
        hashlib = _Module()
        for name in ("sha1", "sha256"):
            if hasattr(uhashlib, name):
                setattr(hashlib, name, getattr(uhashlib, name))
        hashlib.md5 = md5
        sys.modules["hashlib"] = sys.modules["uhashlib"] = hashlib
    cryptolib, socket, tls = _Module(), _Module(), _Module()
    cryptolib.aes = aes
    tls.SSLContext, tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED = SSLContext, 0, 2
    socket.socket = socket.getaddrinfo = _no_socket
    for name, module in (("cryptolib", cryptolib), ("socket", socket), ("tls", tls)):
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = sys.modules["u" + name] = module
