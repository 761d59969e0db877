"""The regression gate: flash, heap, bytes and packets against limits.toml."""

import pytest

from dynreg_tools.bench.errors import NoLink
from tests_host.bench import limits
from tests_host.bench.no_link import no_link

# Far below a limit is a hint, and depends on the machine; it fails nobody's run.
pytestmark = pytest.mark.filterwarnings("default::tests_host.bench.limits.UnderTheLimit")


def fail_over(complaints):
    if complaints := [complaint for complaint in complaints if complaint]:
        pytest.fail("\n".join(complaints), pytrace=False)


KINDS = {
    "first_boot": "the first boot",
    "warm_boot": "the warm boot",
    "reconnects": "the warm boot with three reconnects",
    "growth": "what stays from the first reconnect to the hundredth",
}


def judged(found, wanted, where=""):
    """A complaint, or "", for each figure of each boot."""
    return [
        limits.judge(
            f"{client}{where}: {KINDS[kind]}",
            limits.WORDS[key],
            value,
            wanted.get(client, {}).get(kind, {}).get(key),
            limits.SLACK[key],
        )
        for client, boots in found.items()
        for kind, figures in boots.items()
        for key, value in figures.items()
    ]


def test_flash(tmp_path):
    wanted, sizes = limits.limits()["flash"], limits.flash(tmp_path / "mpy")
    complaints = [
        limits.judge(name, "is {} bytes of .mpy", size, wanted.get(name), 50)
        for name, size in sizes.items()
    ]
    gone = [f"limits.toml has a limit for {name}, which is gone" for name in {*wanted} - {*sizes}]
    fail_over(complaints + gone)


OTA, OTHER = 6 * 1024, 2560  # bytes of .mpy of a service's module


def test_each_module_of_a_service_is_small(tmp_path):
    for name, size in limits.flash(tmp_path / "mpy").items():
        if "/services/" in name:
            assert size <= (OTA if "/services/ota" in name else OTHER), name


@pytest.mark.parametrize("bits", [32, pytest.param(64, marks=pytest.mark.ci)])
def test_memory(tmp_path, bits):
    try:
        found = limits.memory(tmp_path / "batch", bits)
    except limits.Not32Bit as missing:
        pytest.skip(str(missing))
    fail_over(judged(found, limits.limits().get(f"{bits}-bit", {}), f", {bits}-bit"))


def test_reads_of_the_flash(tmp_path):
    wanted = limits.limits().get("flash_reads", {})
    words = "reads the flash {} times"
    names = {**KINDS, "worst_file": "writing the worst file of lib/"}
    fail_over(
        limits.judge(names[key], words, value, wanted.get(key), limits.SLACK["reads"])
        for key, value in limits.reads(tmp_path / "batch").items()
    )


def test_wire(tmp_path):
    try:
        found = limits.wire(tmp_path / "batch")
    except NoLink as missing:
        no_link(missing)
    fail_over(judged(found, limits.limits()))


def test_a_figure_over_its_limit_is_one_sentence():
    said = limits.judge("session.py", "is {} bytes of .mpy", 4100, 4000, 50)
    assert said.startswith("session.py is 4100 bytes of .mpy, the limit is 4000: ")
    assert "has no limit" in limits.judge("new.py", "is {} bytes of .mpy", 1, None, 50)


@pytest.mark.parametrize("value", [4000, 3800, 3760])
def test_a_figure_within_its_limit_is_no_word(value, recwarn):
    assert limits.judge("session.py", "is {} bytes of .mpy", value, 4000, 50) == ""
    assert not recwarn


def test_a_limit_that_has_become_loose_is_a_warning():
    with pytest.warns(limits.UnderTheLimit, match="is 3000 .* limit is 4000: tighten it"):
        assert limits.judge("session.py", "is {} bytes of .mpy", 3000, 4000, 50) == ""


def test_without_a_32_bit_interpreter_the_gate_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(limits.interpreters, "CACHE", tmp_path)
    monkeypatch.delenv(limits.interpreters.VARIABLE, raising=False)
    with pytest.raises(limits.Not32Bit, match="did not fetch it yet"):
        limits.memory(tmp_path / "batch", 32)
