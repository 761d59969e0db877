"""The large words of a production line: they fit each terminal, and nothing of them is cut."""

import io
import re

import pytest
from rich.console import Console as Rich

from dynreg_tools import signs
from dynreg_tools.signs import BUSY, FAIL, GOOD, OUT, WAIT, Sign, Signs

WORDS = (GOOD, FAIL, BUSY, WAIT, OUT)
NAME = "n" * 39 + "N"


def terminal(width, height, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    return Rich(file=file, width=width, height=height, force_terminal=True, color_system=None)


def shown(rich, count):
    """The lines of so many signs, with ports of 21 characters and names of 40."""
    made = {
        f"/dev/serial/by-id/p{n:02}": Sign(
            WORDS[n % 5], NAME, "register.refused", "call " * 20 + "END"
        )
        for n in range(count)
    }
    drawn = signs.arranged(rich, "3 good, 1 failed", made)
    lines = rich.render_lines(drawn, pad=False)
    return ["".join(piece.text for piece in line) for line in lines]


@pytest.mark.parametrize("width, height", [(80, 24), (120, 40), (40, 12), (200, 60)])
@pytest.mark.parametrize("count", [0, 1, 3, 8, 20, 60])
def test_they_fit_and_no_port_is_cut_or_lost(width, height, count):
    lines = shown(terminal(width, height), count)
    assert len(lines) < height
    assert max(map(len, lines)) <= width
    text = "".join(lines)
    whole = sum(f"/dev/serial/by-id/p{n:02}" in text for n in range(count))
    more = re.search(r"and (\d+) more: ", text)
    assert whole + int(more[1] if more else 0) == count


def test_few_boards_have_the_largest_words_and_all_that_is_to_be_said():
    lines = shown(terminal(80, 24), 1)
    assert "████████████" in lines[2]
    assert lines[2] == lines[3]
    text = " ".join(line.strip() for line in lines)
    for part in (NAME, "register.refused", "END"):
        assert part in text


def test_eight_boards_have_large_words_at_80_columns_of_24_lines():
    assert sum("███ ███" in line for line in shown(terminal(80, 24), 8)) >= 6


def test_a_terminal_without_blocks_has_letters_of_signs_that_it_has():
    text = "\n".join(shown(terminal(80, 24, "ascii"), 2))
    assert "####" in text
    text.encode("ascii")


def test_who_is_unplugged_leaves_its_place_for_a_while_and_a_failure_its_sign(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(signs.time, "monotonic", lambda: now[0])
    rich = terminal(80, 24)
    board = Signs(rich, "")
    board.show("a", Sign(GOOD))
    board.show("b", Sign(FAIL, text="board.lost"))
    for port in "ab":
        board.away(port)

    def texts():
        with rich.capture() as captured:
            rich.print(board._draw())
        return captured.get()

    assert "unplugged" in texts()
    assert "board.lost" in texts()
    now[0] = 11
    assert texts().strip() == ""


def test_ports_are_in_the_order_of_their_numbers():
    rich = terminal(80, 24)
    board = Signs(rich, "")
    for port in ("/dev/ttyUSB10", "/dev/ttyUSB2", "/dev/ttyACM0", "COM3"):
        board.show(port, Sign(GOOD))
    with rich.capture() as captured:
        rich.print(board._draw())
    order = re.findall(r"/dev/tty\w+|COM3", captured.get())
    assert order == ["/dev/ttyACM0", "/dev/ttyUSB2", "/dev/ttyUSB10", "COM3"]


def test_in_a_pipe_nothing_is_drawn():
    with Signs(None, "counters") as board:
        board.step("a", "copying", 0.5)
        assert board._draw() == ""
