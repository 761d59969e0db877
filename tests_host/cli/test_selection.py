"""What `./dev test` runs of its tests when nothing, all, or a part is named."""

import pytest

from tests_host.selection import HERE, names_a_part


@pytest.mark.parametrize("word", ["cli/test_dev.py::test_x", "cli", "cli/"])
def test_a_file_or_folder_that_is_named_runs_whole(word):
    assert names_a_part(str(HERE / word))


@pytest.mark.parametrize("word", ["", "..", "../examples"])
def test_all_that_is_found_runs_without_cis_own(word):
    assert not names_a_part(str(HERE / word))


def test_ci_runs_its_own():
    assert " --interpreters ci --ci\n" in (HERE.parent / ".ci/run").read_text("utf-8")
