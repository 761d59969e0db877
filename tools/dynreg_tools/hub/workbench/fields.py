"""What a request's JSON holds, checked field by field; every error is a HubError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from ..rules import HubError
from ..services.text import strict


class Body:
    """A JSON object with no other than the known fields."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @classmethod
    async def of(cls, request: Request, *known: str) -> Body:
        """The request's."""
        try:
            values = strict(await request.body())
        except (ValueError, RecursionError):
            raise HubError("the request body is not JSON") from None
        if not isinstance(values, dict):
            raise HubError("the request body is not a JSON object")
        if unknown := [name for name in values if name not in known]:
            raise HubError(f"unknown {unknown[0][:64]!r}; there are {', '.join(known)}")
        return cls(values)

    def number(self, name: str, least: int, most: int) -> int | None:
        """An integer in these bounds, None where it is left out."""
        value = self._values.get(name)
        if value is not None and (type(value) is not int or not least <= value <= most):
            raise HubError(f"{name} must be {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise HubError(f"{name} must be true or false")
        return value

    def has(self, name: str) -> bool:
        """Whether it was given."""
        return name in self._values

    def text(self, name: str) -> str:
        """Text that can be UTF-8."""
        return _text(name, self._values.get(name))

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._values.get(name)
        if not isinstance(value, list):
            raise HubError(f"{name} must be a list")
        return [_text(name, one) for one in value]

    def object(self, name: str) -> dict[str, Any] | None:
        """A JSON object, or null; it must be there."""
        value = self._values.get(name, "")
        if value is not None and not isinstance(value, dict):
            raise HubError(f"{name} must be a JSON object or null")
        return value

    def payload(self) -> bytes:
        """The bytes of `payload` or of `payload_hex`."""
        if ("payload" in self._values) == ("payload_hex" in self._values):
            raise HubError("give either payload or payload_hex")
        if "payload" in self._values:
            return self.text("payload").encode()
        try:
            return bytes.fromhex(self.text("payload_hex"))
        except ValueError:
            raise HubError("payload_hex is not pairs of hex digits") from None


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise HubError(f"{name} must be text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise HubError(f"{name} has half of a surrogate pair, which is no character") from None
    return value
