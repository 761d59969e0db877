"""docs/performance.md and docs/services.md say what each service costs."""

import re

from tests_host.bench import services

_ROW = re.compile(r"^\| (\w+) +\| +(\d+) \| +(\d+) \|", re.MULTILINE)
_NEAR = 400  # bytes of heap: another path's length, another release


def test_the_page_has_each_services_cost(tmp_path):
    found = services.measure(tmp_path, 64)
    shown = {name: (int(size), int(heap)) for name, size, heap in _ROW.findall(services.shown())}
    assert shown.keys() == found.keys()
    for name, (size, heap) in found.items():
        assert shown[name][0] == size, f"{name}: python -m tests_host.bench.services"
        assert abs(shown[name][1] - heap) < _NEAR, f"{name}: {heap}"
    page = services.LIST.read_text("utf-8")
    assert services.listed({name: size for name, (size, _) in found.items()}) == page
    assert {name for _, name in re.findall(services.ROW, page)} == found.keys()
