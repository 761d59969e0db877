"""The running hub's HTTP interface and its page in the browser (docs/hub.md)."""
