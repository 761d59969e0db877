"""A running hub for each test, and the check that no event ever holds a secret."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for hubclient

from hubclient import PRODUCT_ID, new_secret

from dynreg_tools.hub import Hub


@pytest.fixture(scope="session")
def vectors():
    """The published and recomputed test data beside docs/protocol.md."""
    return json.loads((Path(__file__).parents[1] / "vectors.json").read_text())


@pytest.fixture
def start_hub(tmp_path):
    """Starts hubs with fast keys; all are stopped, and searched for secrets, at the end."""
    hubs = []

    def start(**options):
        options = {
            "data": tmp_path / "hub",
            "product_id": PRODUCT_ID,
            "product_secret": new_secret(),
            "cert_key": "ec",
            **options,
        }
        hub = Hub(**options)
        hub.__enter__()
        hubs.append(hub)
        return hub

    yield start
    for hub in hubs:
        secrets = {hub.product_secret, *(d["psk"] for d in hub.devices() if d["psk"])}
        hub.__exit__(None, None, None)
        text = json.dumps(hub.events)
        assert not [secret for secret in secrets if secret in text]
        assert "PRIVATE KEY" not in text
        assert "BEGIN CERTIFICATE" not in text


@pytest.fixture
def hub(start_hub):
    """A hub with every default but a fast key."""
    return start_hub()
