"""The state machine: boards, cloud, faults, and what a person may do; and what must always hold.

    python tests_host/corpus/runner.py tests_host/model/machine.py [test_a …]

test_model.py runs each function so. MODEL_EXAMPLES=20000 makes it a long run with other examples
each time; a sequence that it finds becomes a named test at the end of this file.
"""

import json
import os
import re
import sys
from binascii import a2b_base64, crc32

sys.path.append(__file__.rsplit("/", 3)[0] + "/tools")  # the hub's rules are dynreg_tools'

import board as boards
import canaries
import cloud as clouds
import fakes
from dynreg.errors import DynregError
from dynreg.storage import credentials, store
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from owned import Owned, Violated, fresh, must

_LONG = int(os.environ.get("MODEL_EXAMPLES", "0"))
_SETTINGS = settings(
    derandomize=not _LONG,
    database=None,
    deadline=None,
    max_examples=_LONG or 200,
    stateful_step_count=25,
    suppress_health_check=list(HealthCheck),
)
_MOST_BOOTS = 2  # after the last fault, until a board that needs nobody is online
_PLACEHOLDER = "YOUR_DEVICE_SECRET"
_JUNK = "anVuay1qdW5rLWp1bms="
_CLOCKS = (None, 0, 1262304000, fakes.NOW, fakes.NOW + 9 * 365 * 86400)
_PAGE = fakes.read(fakes.ROOT + "/docs/errors.md").decode()
_CODES = re.findall(r"^\| `([a-z.0-9]+)`", _PAGE, re.MULTILINE)
# One of them is in each sentence that stops a board: what a person is to do, or to look at.
_REMEDIES = (
    *("copy", "put ", "write ", "mend", "erase", "forget", "delete", "fill", "bring", "change"),
    *("is the device", "switch", "type", "check", "make room", "restore"),
)
_board = st.integers(0, 1)
_step = st.integers(0, 15)  # a first boot has some 15 of them
_cut = st.none() | _step


class Machine(RuleBasedStateMachine):
    """Two boards, one cloud.

    variant: what a test breaks in the library, put in place at each boot.

    has_nvs: whether the boards have NVS.
    """

    variant = staticmethod(lambda: None)
    has_nvs = True

    @initialize(
        psk=st.booleans(), cuts=st.lists(st.tuples(_board, _step, st.booleans()), max_size=3)
    )
    def start(self, psk, cuts=()):
        """cuts: boots that end early, before anything else: board, step, half."""
        self.world = boards.World(psk)
        self.world.variant = self.variant
        self.boards = [Owned(self.world, number, self.has_nvs) for number in (1, 2)]
        self.made = {canaries.PRODUCT_SECRET, _JUNK}
        for n, cut, half in cuts:
            self._boot(self.boards[n], cut, half)

    # --- the board ---------------------------------------------------------------------------

    @rule(n=_board, cut=_cut, half=st.booleans(), rtc=st.sampled_from(_CLOCKS))
    def boot(self, n, cut=None, half=False, rtc=None):
        """Power on; cut: and off again at the step of this number."""
        self._boot(self.boards[n], cut, half, rtc)

    @rule(n=_board)
    def boot_well(self, n):
        self._boot(self.boards[n])

    def _boot(self, mine, cut=None, half=False, rtc=None):
        had = mine.kept if mine.noted() else None
        typed = mine.values() is not None and mine.in_file()[1] == "typed" and not mine.in_nvs()
        boot = mine.board.boot(cut, half, rtc)
        for name, secret in boot.logins:
            mine.kept = f"{clouds.PRODUCT}/{name}", secret
            mine.places = {"file"} if typed else {"file", "NVS"}
        if boot.online:
            mine.places = {"file", "NVS"}
        self._is_sound(mine, boot, had)
        return boot

    @rule(n=_board)
    def settle(self, n):
        """The faults are over, the power stays: online, or a person must know what to do."""
        mine = self.boards[n]
        self.world.mend()
        reason = self._reason(mine)
        for _ in range(_MOST_BOOTS):
            boot = self._boot(mine)
            if boot.online:
                return
        must(reason, f"the board stays offline, though nobody needs to touch it: {boot.sentence}")
        text = boot.sentence
        told = any(word in text.lower() for word in _REMEDIES)
        # The cloud's own words are passed on as they are.
        words = boot.error.cloud_message
        must(told or (words and words in text), f"no remedy for '{reason}' in: {text}")

    @rule(n=_board, cut=_cut, half=st.booleans())
    def forget(self, n, cut=None, half=False):
        mine = self.boards[n]
        boot = mine.board.forget(cut, half)
        self._is_sound(mine, boot, None)
        if not boot.error:  # where the power went, the flash says what is left
            mine.kept = None
            mine.places = set()

    # --- a person, and the board's file ------------------------------------------------------

    @rule(n=_board)
    def redeploy(self, n):
        self.boards[n].write(fresh())

    @rule(n=_board, which=st.sampled_from(["right", "stale", "junk"]), check=st.booleans())
    def type_secret(self, n, which, check):
        """check: whether the check of the secret before is left beside it."""
        mine = self.boards[n]
        values = mine.values() or json.loads(fresh())
        issued = self.world.cloud.issued.get(mine.owner(), ())
        secret = {"right": issued[-1:], "stale": issued[:1], "junk": [_JUNK]}[which]
        if not secret:
            return
        section = values.setdefault("key_deviceinfo", {})
        section["deviceSecret"] = secret[0]
        if not check:
            section.pop("check", None)
        mine.write(json.dumps(values), edited=True)

    @rule(n=_board, name=st.sampled_from(["dev-{mac}", "bench-"]))
    def rename(self, n, name):
        """Only the name: the credential stays in the file, and may come to fit again."""
        mine = self.boards[n]
        places = set(mine.places)
        kept, edited = mine.kept, mine.edited
        values = mine.values()
        if values is None:
            return
        values["deviceName"] = name if "{" in name else name + str(n)
        mine.write(json.dumps(values))
        mine.kept, mine.places, mine.edited = kept, places, edited

    @rule(n=_board)
    def interrupted_copy(self, n):
        mine = self.boards[n]
        mine.write(mine.text()[: len(mine.text()) // 2])

    @rule(n=_board)
    def placeholders_for_secrets(self, n):
        self.boards[n].write(fresh(productSecret="YOUR_PRODUCT_SECRET"))

    @rule(n=_board)
    def copy_from_the_other(self, n):
        """The other board's file, credential and all; what has no check counts as typed."""
        mine, other = self.boards[n], self.boards[1 - n]
        mine.write(other.text(), edited=True)
        if other.values() is not None and other.in_file()[1] == "typed":
            mine.typed.add(other.in_file()[0])

    @rule(n=_board)
    def flash_the_firmware(self, n):
        """An image is one piece, with nothing where NVS lies."""
        mine = self.boards[n]
        mine.board.nvs.clear()
        if self.has_nvs:
            mine.takes_away("NVS")

    # --- a person, and the console -----------------------------------------------------------

    @rule(n=_board)
    def delete(self, n):
        self.world.cloud.delete(self.boards[n].name())

    @rule(n=_board, off=st.booleans())
    def disable(self, n, off):
        change = self.world.cloud.disabled.add if off else self.world.cloud.disabled.discard
        change(self.boards[n].name())

    @rule(kind=st.sampled_from([0, 1, 2]))
    def switch_registration(self, kind):
        """0: off, 1: only devices that the console has made, 2: all."""
        self.world.cloud.switch(kind)

    @rule(n=_board)
    def somebody_else_registers(self, n):
        """With the product secret: what was given before is worthless."""
        name = self.boards[n].name()
        row, cloud = self.world.cloud.row(name), self.world.cloud
        if cloud.would_register(name, canaries.PRODUCT_SECRET) is None and row:
            secret = f"c29tZWJvZHktZWxzZQ{len(cloud.issued):02}"
            cloud.tables.set_credential(clouds.PRODUCT, name, secret, None)
            self.made.add(secret)

    # --- what goes wrong by itself -----------------------------------------------------------

    @rule(fault=st.sampled_from(boards.FAULTS), times=st.integers(1, 3))
    def fault(self, fault, times):
        self.world.faults[fault] = times

    @rule(years=st.sampled_from([-16, -1, 0, 9]))
    def time_server(self, years):
        """It lies by so many years."""
        self.world.ntp_is_off_by = years * 365 * 86400

    @rule(years=st.sampled_from([-9, 9]))
    def cloud_clock(self, years):
        """The cloud's own clock is wrong by so many years, until mended."""
        self.world.cloud_is_off_by = years * 365 * 86400

    # --- what must hold ----------------------------------------------------------------------

    def teardown(self):
        """No state is a dead end: settled, and then all that the sentences say is done."""
        if not hasattr(self, "boards"):
            return
        for n in (0, 1):
            self.settle(n)
        self.switch_registration(2)
        for n in (0, 1):
            self.redeploy(n)
            self.delete(n)
            self.forget(n)
            must(self._reason(self.boards[n]) is None, "the model has no way out")
            self.settle(n)

    def _is_sound(self, mine, boot, had):
        """What holds after each boot; had: what was kept before it."""
        cloud = self.world.cloud
        if boot.error:
            code = boot.error.code
            must(code in _CODES or code.startswith("login."), f"code {code} stands in no page")
        must(
            not (had and boot.asked),
            "a board that had been logged in asked for a registration by itself",
        )
        stored = {
            data for data in boot.stored if crc32(data[4:]) == int.from_bytes(data[:4], "big")
        }
        must(
            boot.grants - boot.lost <= len(stored) + boot.cut,
            f"{boot.grants} registrations for {len(stored)} stored credentials",
        )
        for name, secret in boot.logins:
            must(name == mine.name(), "logged in under another name than the file's")
            must(
                mine.in_nvs() == (mine.owner(), secret) or boot.cut or not boot.online,
                "online with a credential that is not in NVS",
            )
        record = mine.in_nvs()
        if record:
            others = {
                secret
                for owner in cloud.issued
                if owner != record[0]
                for secret in cloud.issued[owner]
            }
            must(record[1] not in others - mine.typed, "the board keeps another one's secret")
        self._no_secret_in("\n".join(boot.output).lower())

    def _no_secret_in(self, text):
        secrets = self.made.union(*self.world.cloud.issued.values())
        for secret in secrets:
            forms = [secret, secret.encode().hex()]
            if secret != canaries.PRODUCT_SECRET:
                raw = a2b_base64(secret)
                forms += [raw.hex(), str(raw)]
            for form in forms:
                must(form.lower() not in text, "a secret in the output")

    def _reason(self, mine):
        """Why a person must touch the board or the console; None: nobody needs to."""
        if mine.values() is None:
            return "the file is broken" if mine.broken else None
        cloud, name = self.world.cloud, mine.name()
        secret, state = mine.in_file()
        if mine.kept:
            owner, kept = mine.kept
            if owner != mine.owner():
                return "another name"
            if state == "typed" and secret != kept:
                return "two secrets"
            return None if cloud.accepts(name, kept) else "refused"
        record = mine.in_nvs()
        if record:
            if record[0] != mine.owner():
                return "another name"
            if state in ("typed", "good") and secret != record[1]:
                return "two secrets"
            return None if cloud.accepts(name, record[1]) else "refused"
        if state == "damaged":
            return "damaged by hand" if mine.edited or self._renamed(secret, mine) else None
        if state:
            return None if cloud.accepts(name, secret) else "refused"
        return cloud.would_register(name, mine.values().get("productSecret"))

    def _renamed(self, secret, mine):
        """Whether the secret in the file is another name's."""
        return secret not in self.world.cloud.issued.get(mine.owner(), ())


class WithoutNvs(Machine):
    """A port without NVS: the second copy is a file."""

    has_nvs = False


def _play(machine, **changes):
    run_state_machine_as_test(machine, settings=settings(_SETTINGS, **changes))


def test_whatever_happens():
    _play(Machine)


def test_whatever_happens_without_nvs():
    _play(WithoutNvs, max_examples=_LONG or 50)


def _two_cuts(machine, step=1):
    """Both of a board's first two boots end early, at each step of each; chance finds too few."""
    for half in (False, True):
        for first in range(0, 16, step):
            for second in range(16):
                state = machine()
                state.start(psk=False, cuts=[(0, first, half), (0, second, half)])
                state.redeploy(n=0)
                state.teardown()


def test_two_cuts():
    _two_cuts(Machine, step=3)


def test_two_cuts_without_nvs():
    _two_cuts(WithoutNvs, step=3)


def test_slow_every_two_cuts():
    _two_cuts(Machine)


def test_slow_every_two_cuts_without_nvs():
    _two_cuts(WithoutNvs)


# --- it notices what is broken ---------------------------------------------------------------


def _notices(break_it, *says, machine=Machine):
    """The machine fails, in one of these words, where the library is broken so."""

    class Broken(machine):
        variant = staticmethod(break_it)

    try:
        _play(Broken, phases=[Phase.generate], derandomize=True, max_examples=1000)
    except Violated as error:
        assert any(words in str(error) for words in says), str(error)
        return
    raise AssertionError("it was not noticed")


def test_it_notices_that_there_is_no_second_copy():
    def break_it():
        fakes.replace(store, "_store_record", lambda info: None)

    _notices(break_it, "for 0 stored credentials", "not in NVS")


def test_it_notices_a_check_that_is_not_bound_to_the_name():
    real = credentials.fingerprint

    def break_it():
        fakes.replace(credentials, "check", lambda info, value: real(value))

    _notices(break_it, "keeps another one's secret", "stays offline")


def test_it_notices_a_file_written_in_place():
    def in_place(path, data):
        with store.open(path, "wb") as file:
            file.write(data)

    def break_it():
        fakes.replace(store, "replace", in_place)

    _notices(break_it, "stays offline")


def test_it_notices_a_board_that_registers_at_each_boot():
    real = boards.Device.register

    def register(device):
        device.info.credential = None
        return real(device)

    def break_it():
        fakes.replace(boards.Device, "register", register)

    _notices(break_it, "asked for a registration by itself")


def test_it_notices_a_secret_in_the_log():
    def break_it():
        fakes.replace(credentials, "fingerprint", lambda value, text="": text + value)

    _notices(break_it, "a secret in the output")


def test_it_notices_a_fault_without_a_remedy():
    def break_it():
        fakes.replace(DynregError, "__str__", lambda error: "it failed")

    _notices(break_it, "no remedy")
