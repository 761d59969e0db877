"""A person's own boot.py and main.py on a board: never replaced without a word, kept as a copy."""

import subprocess

import pytest

from dynreg_tools.boards import programs
from dynreg_tools.boards.content import Content, digests
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.plan import plan
from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard import Board
from tests_host.fleet.batchfolder import blank, content_of, deploy, make_info
from tests_host.fleet.test_plan import COMPILED, LIBRARY, OTHERS, WHAT

MINE = b"print('mine')\n"
MICROPYTHONS = b"# This file is executed on every boot\n#import esp\n\n#import webrepl\r\n"


def held(**programs_of):
    """An inventory of a board with these programs; all else is as it must be."""
    files = COMPILED | OTHERS | {f"/{name}.py": data for name, data in programs_of.items()}
    return blank(hashes=digests(files))


def what(*may_replace, app=None):
    others = OTHERS | ({"/main.py": app} if app else {})
    if app:
        others[programs.RECORD] = programs.record(digests(others))
    return Content(WHAT.batch, WHAT.packages, LIBRARY, COMPILED, others, frozenset(may_replace))


@pytest.mark.parametrize(
    "content, words",
    [
        (what(), "a boot.py and main.py of its own"),
        (what("/boot.py"), "a main.py of its own"),
        (what("/main.py", app=b"app"), "a boot.py of its own, --app FOLDER has none"),
    ],
)
def test_own_programs_are_refused_without_a_word(content, words):
    with pytest.raises(BoardError) as caught:
        plan(content, held(boot=MINE, main=MINE))
    assert caught.value.code == "board.program"
    assert words in str(caught.value)


def test_with_a_word_they_are_replaced_and_kept():
    made = plan(what(*programs.PROGRAMS), held(boot=MINE, main=MINE))
    assert made.keep == programs.PROGRAMS
    assert made.report["kept"] == {"/boot.py": "/boot.py.old", "/main.py": "/main.py.old"}


@pytest.mark.parametrize("path", programs.PROGRAMS)
def test_what_is_there_already_or_does_nothing_needs_no_word(path):
    assert plan(what(), held()).keep == ()
    found = blank(hashes=digests(COMPILED | OTHERS | {path: MICROPYTHONS}), idle=(path,))
    assert plan(what(), found).keep == ()


def test_each_edition_that_the_project_has_had_needs_no_word():
    commits = subprocess.run(
        ["git", "-C", ROOT, "log", "--format=%h", "--", "boot.py", "main.py"],
        capture_output=True,
        encoding="utf-8",
    ).stdout.split()
    editions = [(ROOT / name).read_bytes() for name in ("boot.py", "main.py")]
    for commit in commits:
        for name in ("boot.py", "main.py"):
            shown = subprocess.run(
                ["git", "-C", ROOT, "show", f"{commit}:{name}"], capture_output=True
            )
            editions += [shown.stdout] if shown.returncode == 0 else []
    assert set(digests(dict(enumerate(editions))).values()) <= programs.RELEASES


def test_an_apps_next_edition_leaves_no_copy_and_ours_does_not_take_its_place():
    first = what("/main.py", app=b"first")
    found = blank(hashes=digests(first.compiled | first.others))
    assert plan(what("/main.py", app=b"second"), found).keep == ()
    with pytest.raises(BoardError, match=r"a main\.py of its own"):
        plan(what(), found)


@pytest.fixture
def board(tmp_path):
    make_info(tmp_path / "batch")
    return Board.new(tmp_path / "board", wifi={})


@pytest.mark.ci
def test_on_a_board(board, tmp_path):
    """Ours over MicroPython's boot.py and a person's main.py; then an app, twice."""
    board.write_files({"/boot.py": MICROPYTHONS, "/main.py": MINE, "/main.py.old": b"older"})
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text("print('app')\n")
    with board.power_on() as running:
        running.wait_repl()
        writes = running.flash_writes
        with pytest.raises(BoardError, match=r"a main\.py of its own"):
            deploy(running.port, content_of(tmp_path / "batch"))
        assert running.flash_writes == writes
        assert deploy(running.port, content_of(tmp_path / "batch", force=True))["kept"]
        assert deploy(running.port, content_of(tmp_path / "batch", app))["kept"] == {}
        (app / "main.py").write_text("print('second')\n")
        assert deploy(running.port, content_of(tmp_path / "batch", app))["kept"] == {}
        with pytest.raises(BoardError, match=r"a main\.py of its own"):
            deploy(running.port, content_of(tmp_path / "batch"))
        deploy(running.port, content_of(tmp_path / "batch", force=True))
    files = {name: board.read_file("/" + name) for name in board.listdir("/") if ".old" in name}
    assert files == {
        "main.py.old": b"older",
        "main.py.old1": MINE,
        "main.py.old2": b"print('second')\n",
    }
    assert programs.RECORD[1:] not in board.listdir("/")


IMPORTS = """\
import dynreg.services.shadow as s, os
from dynreg.services import (
    broadcast,
    nothing,
)
from dynreg.services.thing import Thing  # from dynreg.services import vendor
# dynreg/services/rrpc is not
"""


def services_in(files):
    return sorted(path.rpartition("/")[2] for path in files if "/services/" in path)


def test_the_services_that_a_program_imports_come_with_it(tmp_path):
    make_info(tmp_path)
    app = tmp_path / "app"
    (app / "inner").mkdir(parents=True)
    (app / "main.py").write_text("")
    assert services_in(content_of(tmp_path, app).compiled) == []
    (app / "inner" / "module.py").write_text(IMPORTS)
    found = content_of(tmp_path, app)
    assert services_in(found.compiled) == [
        *("_replies.mpy", "broadcast.mpy", "shadow.mpy", "thing.mpy")
    ]
    assert services_in(found.library)[0] == "_replies.py"


def test_the_programs_of_ours_import_no_service(tmp_path):
    make_info(tmp_path)
    assert services_in(content_of(tmp_path).compiled) == []
