from typing import Any, Literal

class Template:
    def __init__(self, template: str | dict[str, Any]) -> None: ...
    def fault(
        self,
        part: Literal["properties", "events", "actions"],
        name: str | None,
        params: Any,
        control: bool = False,
    ) -> str: ...
