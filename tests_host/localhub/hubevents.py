"""The stream of events of a hub's HTTP interface, read with requests."""

import json
from contextlib import contextmanager

import requests


@contextmanager
def stream(hub, **options):
    """An iterator of (number, event) of GET /events?…"""
    with requests.get(hub.control + "/events", params=options, stream=True, timeout=10) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield _events(reply)


def _events(reply):
    number = None
    for line in reply.iter_lines(64 * 1024):
        if line.startswith(b"id: "):
            number = int(line[4:])
        elif line.startswith(b"data: "):
            yield number, json.loads(line[6:])


def until(events, name, **match):
    """All events up to the first of this name with these fields."""
    found = []
    for number, event in events:
        found.append((number, event))
        if event["event"] == name and match.items() <= event.items():
            return found
    raise AssertionError(f"no {name} {match} in {found}")
