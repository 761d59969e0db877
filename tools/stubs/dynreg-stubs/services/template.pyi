from typing import Any, Literal

class Template:
    """template: a path or a dict. Of it only what is checked is kept. ConfigError."""
    def __init__(self, template: str | dict[str, Any]) -> None: ...
    def fault(
        self,
        part: Literal["properties", "events", "actions"],
        name: str | None,
        params: Any,
        control: bool = False,
    ) -> str:
        """Why params are not good for "properties" (name None), an event or an action; "".

        control: read-only properties are not either.
        """
