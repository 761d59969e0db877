"""What the next version has otherwise."""

TEXT = "hello"
