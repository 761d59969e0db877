"""MicroPython's cryptolib.aes in CBC mode, by the cryptography package."""

from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_CBC = 2


class aes:
    """One direction each: as on MicroPython the chain goes on from call to call."""

    def __init__(self, key: bytes, mode: int, iv: bytes) -> None:
        if mode != _CBC:
            raise ValueError("mode")
        if len(key) not in (16, 32):
            raise ValueError("key")
        if len(iv) != 16:
            raise ValueError("IV")
        self._cipher = Cipher(algorithms.AES(bytes(key)), modes.CBC(bytes(iv)))
        self._encryptor: Any = None
        self._decryptor: Any = None

    def encrypt(self, data: bytes) -> bytes:
        self._encryptor = self._encryptor or self._cipher.encryptor()
        return self._whole_blocks(self._encryptor, data)

    def decrypt(self, data: bytes) -> bytes:
        self._decryptor = self._decryptor or self._cipher.decryptor()
        return self._whole_blocks(self._decryptor, data)

    def _whole_blocks(self, direction: Any, data: bytes) -> bytes:
        if len(data) % 16:
            raise ValueError("blksize % 16")
        return direction.update(bytes(data))
