"""The smallest heap, what a leak shows as, and an interpreter that cannot run all clients."""

import pytest

from dynreg_tools.bench import devices, heap, memory
from dynreg_tools.bench.clients import OBVIOUS, REFERENCE
from dynreg_tools.bench.devices import Batch
from dynreg_tools.bench.errors import BenchError
from dynreg_tools.build import interpreters, mpy
from dynreg_tools.sources import LIB


def silent(text):
    pass


@pytest.mark.parametrize("needed", [4096, 4352, 32768, 33024, 70144, 524032, 524288])
@pytest.mark.parametrize("less", [0, 1, 255])
def test_the_smallest_heap_is_found_in_steps_of_256_bytes(needed, less):
    asked = []

    def completes(size):
        asked.append(size)
        return size >= needed - less

    assert heap.smallest(completes) == needed
    assert len(asked) <= 15


def test_a_heap_that_is_enough_by_chance_only_does_not_count():
    chance = iter([True, False])  # 100 KiB: once, then no more
    assert heap.smallest(lambda size: size > 102400 or (size == 102400 and next(chance))) == 102656


def test_a_boot_that_no_heap_is_enough_for():
    with pytest.raises(BenchError, match="512 KiB"):
        heap.smallest(lambda size: False)


LEAKS = {
    "bytes": "_leak.append(bytearray(64))",
    "names": "setattr(Session, 'leak%d' % len(_leak), 0); _leak.append(0)",
}


@pytest.mark.ci
@pytest.mark.parametrize("kind", LEAKS)
def test_what_a_session_leaks_on_reconnect_is_seen(tmp_path, kind):
    batch = Batch(tmp_path / "batch")
    source = (LIB / "dynreg/mqtt/session.py").read_text()
    head = "        self.close()\n        self.attach("
    assert source.count(head) == 1
    leaking = tmp_path / "session.py"
    leaking.write_text(source.replace(head, f"        {LEAKS[kind]}\n{head}") + "\n\n_leak = []\n")
    target = batch.folder / "lib/dynreg/mqtt/session.mpy"
    sound = growth(batch)
    mpy.compile_file(leaking, "dynreg/mqtt/session.py", target)
    found = growth(batch)
    # The first of the hundred reconnects is before the first reading.
    assert found[kind] - sound[kind] >= 99 * {"bytes": 64, "names": 1}[kind] - 32


def growth(batch):
    with devices.hub(True) as hub:
        return memory._growth(memory.boot.run(batch.new(REFERENCE, hub), program="growth"))


@pytest.mark.slow  # test_limits.py has the search itself
def test_an_interpreter_that_lacks_a_module_does_not_stop_the_rest(tmp_path):
    wheel = interpreters.wheel()
    lame = tmp_path / "lame"
    lame.write_text(
        '#!/bin/sh\ncase "$*" in *obvious) echo "ImportError: no module named X"; exit 1;; esac\n'
        f'exec "{wheel.path}" "$@"\n'
    )
    lame.chmod(0o755)
    lines = []
    clients = [REFERENCE, OBVIOUS]
    every = memory.of_each(tmp_path, [wheel, interpreters.ask(lame)], clients, lines.append)
    assert [sorted(found["clients"]) for found in every] == [["dynreg", "obvious"], ["dynreg"]]
    assert any(line.startswith("not on ") and "no module named X" in line for line in lines)
    ours = every[0]["clients"]["dynreg"]
    assert ours["reconnects"]["min_heap_kib"] >= ours["warm_boot"]["min_heap_kib"]
    assert set(ours["growth"]) == {"bytes", "names"}
    assert "reconnects" not in every[0]["clients"]["obvious"]
    with pytest.raises(BenchError, match="the obvious program does not get to a set clock"):
        memory.of_each(tmp_path / "first", [interpreters.ask(lame)], [OBVIOUS], silent)
