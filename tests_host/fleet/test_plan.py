"""plan(): what is to be done to a board, by what it holds; no board and no port takes part."""

import ast
from pathlib import Path

import pytest

from dynreg_tools.boards import plan as module
from dynreg_tools.boards.batch import Batch
from dynreg_tools.boards.content import NEW, Content
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.plan import digests, plan
from tests_host.fleet.batchfolder import blank

MPY = b"M\x06"
LIBRARY = {"/lib/dynreg/log.py": b"log = 1\n", "/lib/hub/hub.py": b"hub = 1\n"}
COMPILED = {"/lib/dynreg/log.mpy": MPY + b"log", "/lib/hub/hub.mpy": MPY + b"hub"}
OTHERS = {"/certs/ca.der": b"ca", "/boot.py": b"boot\n", "/main.py": b"main\n"}
WHAT = Content(Batch(Path(), {}, None), ("dynreg", "hub"), LIBRARY, COMPILED, OTHERS)
ALL = COMPILED | OTHERS


def test_a_blank_board_gets_all_of_it_programs_last():
    made = plan(WHAT, blank())
    assert made.files == ALL
    assert made.written == tuple(sorted(ALL))
    assert set(made.write) == set(COMPILED) | {path + NEW for path in OTHERS}
    assert made.waiting == {path: digests(made.write)[path] for path in made.write}
    assert made.park == made.switch == ("dynreg", "hub")
    assert made.move == ("/certs/ca.der",)
    assert made.move_last == ("/boot.py", "/main.py")
    assert made.removed == made.stale_files == made.stale_modules == made.notes == ()


def test_a_board_that_holds_all_of_it_is_left_alone():
    made = plan(WHAT, blank(hashes=digests(ALL), device_info=("same", None)))
    assert made.report == {
        "notes": [],
        "written": [],
        "removed": [],
        "kept": {},
        "unchanged": 5,
        "bytes": 0,
        "device_info": "same",
    }
    assert not any((made.write, made.waiting, made.park, made.switch, made.move, made.move_last))


def test_one_changed_module_swaps_its_package_only():
    held = digests(ALL) | {"/lib/hub/hub.mpy": "another"}
    made = plan(WHAT, blank(hashes=held))
    assert made.write == {"/lib/hub/hub.mpy": ALL["/lib/hub/hub.mpy"]}
    assert made.park == made.switch == ("hub",)
    assert made.report["bytes"] == len(ALL["/lib/hub/hub.mpy"])


def test_what_an_interrupted_deploy_has_left_is_used_or_taken_away():
    held = {
        "/main.py" + NEW: digests(ALL)["/main.py"],
        "/boot.py": digests(ALL)["/boot.py"],
        "/boot.py" + NEW: "half of it",
    }
    made = plan(WHAT, blank(hashes=held, parked=("dynreg",)))
    assert "/main.py" + NEW not in made.write
    assert "/main.py" + NEW in made.waiting
    assert made.move_last == ("/main.py",)
    assert made.stale_files == ("/boot.py" + NEW,)


def test_a_package_that_is_parked_is_switched_though_nothing_changed():
    made = plan(WHAT, blank(hashes=digests(ALL), parked=("dynreg",)))
    assert (made.park, made.switch) == ((), ("dynreg",))


def test_sources_beside_mpy_go():
    held = digests(ALL) | {"/lib/dynreg/log.py": "old", "/main.mpy": "old"}
    made = plan(WHAT, blank(hashes=held))
    assert made.stale_modules == ("/lib/dynreg/log.py",)
    assert made.stale_files == ("/main.mpy",)
    assert made.removed == ("/lib/dynreg/log.py", "/main.mpy")
    assert WHAT.conflicts == ["/boot.mpy", "/main.mpy"]


@pytest.mark.parametrize("mpy, words", [(5, "version 5"), (0, "version none")])
def test_a_board_that_loads_no_mpy_of_ours_gets_the_source(mpy, words):
    made = plan(WHAT, blank(mpy=mpy))
    assert made.files == LIBRARY | OTHERS
    (note,) = made.notes
    assert f"the board loads .mpy {words}, mpy-cross makes 6" in note


def test_a_firmware_that_has_the_library_keeps_what_lies_in_lib():
    held = {"/lib/dynreg/log.py": "mine", "/certs/ca.der": "old"}
    found = blank(hashes=held, frozen="0.1.0", parked=("hub",), hiding=("/hub.py",))
    made = plan(WHAT, found)
    assert made.files == OTHERS
    assert made.packages == made.park == made.switch == made.removed == ()
    assert made.inspected == tuple(OTHERS)
    (note,) = made.notes
    assert note.startswith("lib/ stays here: dynreg 0.1.0")


def test_what_hides_the_library_is_told():
    (note,) = plan(WHAT, blank(hiding=("/hub.py",))).notes
    assert note.startswith("/hub.py on the board hides the package")


def test_a_file_of_the_persons_in_lib_is_moved_like_any_other():
    others = OTHERS | {"/lib/mine/one.py": b"1\n"}
    made = plan(Content(WHAT.batch, WHAT.packages, LIBRARY, COMPILED, others), blank())
    assert "/lib/mine/one.py" in made.move
    assert "/lib/mine/one.py" in made.inspected


@pytest.mark.parametrize(
    "answer, words",
    [
        (("other", "P/old (KEY)"), "port: the board is registered as P/old (KEY), device_info"),
        (("two", None), "port: device_info.json holds a deviceSecret, and the board another"),
    ],
)
def test_somebody_elses_credential_is_refused(answer, words):
    with pytest.raises(BoardError) as caught:
        plan(WHAT, blank(device_info=answer))
    assert caught.value.code == f"config.{answer[0]}"
    assert str(caught.value).startswith(words)


def test_the_planner_can_read_and_send_nothing():
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not (named | imported) & {"open", "Path", "os", "Link", "onboard", "sources", "time"}
