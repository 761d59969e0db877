"""TLS-PSK beside certificates in one server context, on every Python that can.

From 3.13 on the ssl module does it. On 3.11 and 3.12 the one call that it lacks,
SSL_CTX_set_psk_server_callback, goes through ctypes to the libssl that the ssl module itself
uses. Where that cannot be done safely the hub has no PSK, and says so. Which builds were tried is
in docs/architecture.md.

Source: protocol section 4 (suites), SSL_CTX_use_psk_identity_hint(3) of OpenSSL.
"""

import _ssl
import ctypes
import ssl
import sys
from collections.abc import Callable
from weakref import WeakKeyDictionary

SUITES = ("PSK-AES128-CBC-SHA", "PSK-AES256-CBC-SHA")

Answer = Callable[[str | None], bytes]

# PySSLContext is PyObject_HEAD, SSL_CTX *ctx, ... in these releases, which get security fixes
# only. The sizes are those of 64 bits; a build that adds to the struct or its head has others.
_KNOWN_RELEASES = ((3, 11), (3, 12))
_KNOWN_SIZE, _KNOWN_HEAD = 96, 16
_TLS12, _VERSION = 0x0303, 0
# What libssl calls must live as long as the SSL_CTX that points to it.
_CALLBACKS: WeakKeyDictionary[ssl.SSLContext, object] = WeakKeyDictionary()
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint
)


def offer_psk(context: ssl.SSLContext, answer: Answer) -> bool:
    """Add section 4's suites to a server context; False, and no change, where it cannot be done.

    `answer` gets a client's identity in the middle of its handshake and gives the key, or
    nothing (b"") to fail the handshake. It must not raise. The other suites stay, and come first
    when a client has both.
    """
    before = _names(context)
    # A Python with OpenSSL's own choice of suites lists other kinds of PSK, dead without a key.
    others = [name for name in before if "PSK" not in name]
    context.set_ciphers(":".join((*others, *SUITES)))
    if set(SUITES) <= set(_names(context)) and _set_callback(context, answer):
        # A TLS 1.3 ticket would come back as a PSK identity; a TLS 1.2 one keeps an old key good.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        return True
    context.set_ciphers(":".join(before))
    return False


def may_use_psk(tls: ssl.SSLObject) -> bool:
    """Whether a handshake in which OpenSSL asks for a key is one of TLS 1.2 with our suites.

    OpenSSL asks in TLS 1.3 too, for other suites; at first before it notes what the client
    offers, after a HelloRetryRequest when it has.
    """
    if not hasattr(ssl, "HAS_PSK"):
        return True  # our callback asks libssl; shared_ciphers() tells nonsense in early 3.11
    shared = tls.shared_ciphers() or ()
    return any(name in SUITES for name, _, _ in shared) and not any(
        version == "TLSv1.3" for _, version, _ in shared
    )


def uses_psk(tls: ssl.SSLObject) -> bool:
    """Whether a finished handshake was one with a pre-shared key."""
    cipher = tls.cipher()
    return cipher is not None and cipher[0] in SUITES


def _names(context: ssl.SSLContext) -> list[str]:
    """The suites that set_ciphers() is about; those of TLS 1.3 are set apart."""
    return [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]


def _set_callback(context: ssl.SSLContext, answer: Answer) -> bool:
    ours = getattr(context, "set_psk_server_callback", None)  # from Python 3.13 on
    if ours is not None:
        if not getattr(ssl, "HAS_PSK", False):
            return False
        ours(answer)
        return True
    return _set_callback_of_libssl(context, answer)


def _set_callback_of_libssl(context: ssl.SSLContext, answer: Answer) -> bool:
    if (
        sys.implementation.name != "cpython"
        or sys.version_info[:2] not in _KNOWN_RELEASES
        or _ssl._SSLContext.__basicsize__ != _KNOWN_SIZE
        or object.__basicsize__ != _KNOWN_HEAD
    ):
        return False
    try:
        # The extension module's own handle: its symbols, and those of the libssl it is bound to.
        library = ctypes.CDLL(_ssl.__file__)
        version = library.OpenSSL_version
        get_options = library.SSL_CTX_get_options
        set_callback = library.SSL_CTX_set_psk_server_callback
        version_of = library.SSL_version
    except (AttributeError, OSError):  # part of the interpreter, or with hidden symbols
        return False
    version.argtypes, version.restype = (ctypes.c_int,), ctypes.c_char_p
    if version(_VERSION) != ssl.OPENSSL_VERSION.encode():  # of another OpenSSL than this one's
        return False
    get_options.argtypes, get_options.restype = (ctypes.c_void_p,), ctypes.c_uint64
    set_callback.argtypes, set_callback.restype = (ctypes.c_void_p, _CALLBACK), None
    version_of.argtypes, version_of.restype = (ctypes.c_void_p,), ctypes.c_int
    pointer = ctypes.c_void_p.from_address(id(context) + _KNOWN_HEAD).value
    if pointer is None or (get_options(pointer) ^ context.options) & 0xFFFFFFFF:
        return False

    @_CALLBACK
    def callback(connection: int, identity: bytes | None, buffer: int, size: int) -> int:
        if version_of(connection) != _TLS12:
            return 0
        try:
            key = answer(None if identity is None else identity.decode())
        except UnicodeDecodeError:  # no exception may pass through libssl
            return 0
        if len(key) > size:
            return 0
        ctypes.memmove(buffer, key, len(key))
        return len(key)

    set_callback(pointer, callback)
    _CALLBACKS[context] = callback
    return True
