"""No secret in anything that a test prints or raises: each report is searched, a hit fails it.

Searched: captured stdout, stderr and log, tracebacks, virtual boards' serial output, hubs' events.
For: the corpus's canaries, and what the test's hubs and boards were given or made (product
secrets, device secrets, private keys, Wi-Fi passwords), in clear, hex and base64.
"""

import base64
import functools
import json
import re
from contextlib import suppress

import pytest

from tests_host.corpus import canaries

HEX = "hex"
_SHORTEST = 8  # what is shorter, or of fewer than four characters, is everywhere
_SEARCH = pytest.StashKey()
_REPORTED = pytest.StashKey()


class Search:
    """The secrets of one test, and the output outside of pytest's own capture."""

    def __init__(self):
        self.output = []
        self._needles = {}  # (form, what stands in a text) -> in words

    def begin(self):
        """Forgets the last test's; the canaries are every test's."""
        self.output.clear()
        self._needles.clear()
        for what, secret in _canaries():
            self.add(what, secret)

    def add(self, what, secret):
        """Searches for a secret (str, bytes; None is none) from now on."""
        data = secret.encode() if isinstance(secret, str) else secret
        if data and len(data) >= _SHORTEST and len(set(data)) >= 4:
            for form, needle in forms(data):
                self._needles[form, needle] = f"{what} in {form}"

    def add_key(self, what, pem):
        """Searches for each whole line of a private key's base64, and for what it stands for."""
        lines = re.findall(r"^[A-Za-z0-9+/=]+$", pem, re.MULTILINE)
        for line in lines:
            self.add(f"a line of {what}", line)
        self.add(what, base64.b64decode("".join(lines)))

    def hits(self, text):
        """What of the secrets stands in text, as a list of words."""
        lower = text.lower()
        found = (
            words
            for (form, needle), words in self._needles.items()
            if needle in (lower if form == HEX else text)
        )
        return list(dict.fromkeys(found))

    def masked(self, text):
        """text without the secrets."""
        for form, needle in self._needles:
            text = re.sub(re.escape(needle), "***", text, flags=re.IGNORECASE * (form == HEX))
        return text


@functools.lru_cache(maxsize=1024)
def forms(data):
    """(form, text) for each way in which bytes may be printed; HEX may be in capitals too."""
    found = [(HEX, data.hex())]
    with suppress(UnicodeDecodeError):
        found.append(("clear", data.decode()))
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + data).decode()
        # Only the characters that no neighbouring byte has a part in.
        found.append(("base64", text[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]))
    return found


def masked(text):
    """text without the canaries, for a test that must show another run's output."""
    search = Search()
    search.begin()
    return search.masked(text)


def _canaries():
    yield "the canary product secret", canaries.PRODUCT_SECRET
    yield "the canary product secret's first half", canaries.PRODUCT_SECRET[:16]
    yield "the canary device secret", canaries.DEVICE_SECRET
    yield "the canary device secret's key", base64.b64decode(canaries.DEVICE_SECRET)
    yield "the canary Wi-Fi password", canaries.WIFI_PASSWORD
    lines = canaries.PRIVATE_KEY.split("\n")[1:3]
    for line in lines:
        yield "a line of the canary private key", line
    yield "the canary private key", base64.b64decode("".join(lines))


# --- where secrets come from, and what has output besides stdout ---------------------------------


def _watch(owner, name, look):
    """Calls look with the arguments of each call of owner.name, and with its result in front."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def watched(*arguments, **keywords):
        result = real(*arguments, **keywords)
        look(result, *arguments, **keywords)
        return result

    setattr(owner, name, watched)


def _watch_hubs(search):
    from dynreg_tools.hub.events import Journal
    from dynreg_tools.hub.store import Store
    from dynreg_tools.hub.tls.device_ca import DeviceAuthority

    def device(_, store, product_id, name, psk=None, *__, **___):
        if psk:
            search.add("a device secret", psk)
            search.add("a device secret's key", base64.b64decode(psk))

    def product(_, store, product):
        search.add("a product secret", product.secret)
        search.add("a product secret's first half", product.secret[:16])

    def event(_, journal, event, **fields):
        search.output.append(json.dumps(fields, default=lambda data: data.decode("latin-1")))

    _watch(Store, "save_product", product)
    _watch(Store, "add_device", device)
    _watch(Store, "set_credential", device)
    _watch(Journal, "emit", event)
    _watch(
        DeviceAuthority,
        "issue",
        lambda issued, *_: search.add_key("a device's private key", issued.key),
    )


def _watch_boards(search):
    from dynreg_tools.virtualboard.board import Board
    from dynreg_tools.virtualboard.running import Running

    def board(_, board, *__, **___):
        for password in board.settings["wifi"].values():
            search.add("a Wi-Fi password", password)

    _watch(Board, "__init__", board)
    _watch(Running, "__exit__", lambda _, running, *__: search.output.append(running.output))


# --- pytest's hooks; conftest.py takes them in ---------------------------------------------------


CABLE = "credential_over_the_cable"


def pytest_configure(config):
    line = f"{CABLE}: a credential is read off a board or put onto one, so its serial line has it"
    config.addinivalue_line("markers", line)
    config.stash[_SEARCH] = search = Search()
    _watch_hubs(search)
    with suppress(ImportError):  # no virtual boards where there are no ptys
        _watch_boards(search)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.config.stash[_SEARCH].begin()
    item.stash[_REPORTED] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    search, reported = item.config.stash[_SEARCH], item.stash.get(_REPORTED, set())
    output = [] if item.get_closest_marker(CABLE) else search.output
    text = "\n".join([report.longreprtext, *(text for _, text in report.sections), *output])
    hits = [hit for hit in search.hits(text) if hit not in reported]
    if hits:
        reported.update(hits)  # a later phase's report has the same text again
        report.outcome = "failed"
        report.sections = [(name, search.masked(text)) for name, text in report.sections]
        report.longrepr = search.masked(report.longreprtext) + (
            "\nsecrets in what was printed or raised: " + "; ".join(hits)
        )
    return report
