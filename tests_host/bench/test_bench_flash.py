"""Reads of the flash: the same on every run, more with more to search, none for what is frozen."""

import pytest

from dynreg_tools.bench import devices, flashreads
from dynreg_tools.bench.devices import Batch
from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB, modules


@pytest.fixture
def batch(tmp_path):
    return Batch(tmp_path / "batch")


def measure(batch):
    with devices.hub(True) as hub:
        return flashreads.measure(batch, hub)


@pytest.mark.ci
def test_the_counts_are_the_same_on_every_run(batch):
    found = measure(batch)
    assert measure(batch) == found
    assert set(found["created"]) == {f"/lib/{name[:-3]}.mpy" for name in modules()}
    assert found["worst_file"] == max(found["created"].values())
    assert found["created"][found["worst_path"]] == found["worst_file"]
    assert found["created_total"] == sum(found["created"].values()) > found["worst_file"]


def test_each_import_of_a_module_costs_reads(batch):
    before = measure(batch)["warm_boot"]
    lib = batch.folder / "lib/dynreg/mqtt"
    session = batch.folder / "session.py"
    source = (LIB / "dynreg/mqtt/session.py").read_text()
    session.write_text("from . import more\n" + source)
    more = batch.folder / "more.py"
    more.write_text("")
    mpy.compile_file(session, "dynreg/mqtt/session.py", lib / "session.mpy")
    mpy.compile_file(more, "dynreg/mqtt/more.py", lib / "more.mpy")
    assert measure(batch)["warm_boot"] > before


@pytest.mark.ci
def test_what_firmware_has_frozen_is_not_read_from_flash(batch):
    """umqtt.simple grows by 100 KB: no read more, as it does not lie on the flash."""
    before = measure(batch)
    umqtt = batch.folder / "firmware/umqtt/simple.mpy"
    source = batch.folder / "simple.py"
    source.write_text(devices._UMQTT.read_text() + "".join(f"X{n} = {n}\n" for n in range(9000)))
    mpy.compile_file(source, "umqtt/simple.py", umqtt)
    assert umqtt.stat().st_size > 100_000
    assert measure(batch) == before
