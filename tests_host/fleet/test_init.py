"""`dynreg init`: what it asks, what it takes, what it writes, in every locale."""

import json
import stat
import subprocess

import pytest

from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import terminal
from tests_host.fleet.conftest import WIFI, environment


def init(folder, *arguments, code=0, **secrets):
    done = dynreg("init", *arguments, cwd=folder, **secrets)
    assert done.code == code, done
    return done


SECRETS = {"DYNREG_PRODUCT_SECRET": "0123456789abcdef", "DYNREG_WIFI_PASSWORD": "not so secret"}


@pytest.mark.ci
def test_init_from_options_and_environment(tmp_path):
    done = init(tmp_path, "--product-id", "ABCDEFGHIJ", "--wifi-ssid", "bench", **SECRETS)
    assert not any(secret in done.out + done.err for secret in SECRETS.values())
    file = tmp_path / "device_info.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = json.loads(file.read_text())
    assert values["productSecret"] == SECRETS["DYNREG_PRODUCT_SECRET"]
    assert values["wifi"] == {"ssid": "bench", "password": "not so secret"}
    assert values["deviceName"] == "esp32-{mac}"
    assert values["region"] == "china"
    assert (tmp_path / ".gitignore").read_text() == "/device_info.json\n"
    init(tmp_path, "--force", "--product-id", "ABCDEFGHIJ", **SECRETS)
    assert (tmp_path / ".gitignore").read_text() == "/device_info.json\n"
    assert "wifi" not in json.loads(file.read_text())
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", "device_info.json"]


def test_init_asks_at_a_terminal_and_shows_no_secret(tmp_path):
    answers = ("ABCDEFGHIJ", "0123456789abcdef", "europe", "", "bench", "not so secret")
    typed = [(b":", answer.encode() + b"\r") for answer in answers]
    code, output = terminal.run(terminal.dynreg("init"), tmp_path, environment(), typed=typed)
    assert code == 0, output
    assert "0123456789abcdef" not in output
    assert "not so secret" not in output
    values = json.loads((tmp_path / "device_info.json").read_text())
    assert values["region"] == "europe"
    assert values["deviceName"] == "esp32-{mac}"
    assert values["wifi"]["password"] == "not so secret"


@pytest.mark.ci
def test_init_secrets_from_files_and_in_clear_when_one_insists(tmp_path):
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    common = ("--product-id", "ABCDEFGHIJ", "--file", "one.json")
    init(tmp_path, *common, "--product-secret-file", "secret")
    assert json.loads((tmp_path / "one.json").read_text())["productSecret"] == "0123456789abcdef"
    insist = ("--product-secret", "fedcba9876543210", "--secrets-in-clear", "--force")
    init(tmp_path, *common, *insist)
    assert json.loads((tmp_path / "one.json").read_text())["productSecret"] == "fedcba9876543210"


@pytest.mark.ci
def test_init_with_a_hub_of_ones_own(bench):
    folder = bench.folder / "batch"
    folder.mkdir()
    done = init(
        folder,
        *("--product-id", bench.hub.product_id, "--wifi-ssid", "bench"),
        *("--gateway", bench.hub.https, "--mqtt", bench.hub.mqtts, "--ca", str(bench.hub.ca_der)),
        DYNREG_PRODUCT_SECRET=bench.hub.product_secret,
        DYNREG_WIFI_PASSWORD=WIFI["bench"],
    )
    bench.check_secrets(done.out)
    board = bench.board("b0")
    bench.on(board)
    result = bench.dynreg(
        "provision", "--port", "boards/b0/port", "--device-info", "batch/device_info.json"
    )
    assert result.code == 0, result


@pytest.mark.ci
@pytest.mark.parametrize(
    "change, words",
    [
        ({"DYNREG_PRODUCT_SECRET": "short"}, "productSecret has 5 characters"),
        ({"DYNREG_REGION": "moon"}, "region is unknown"),
        ({"DYNREG_DEVICE_NAME": "no spaces"}, "deviceName holds the character ' '"),
        ({"DYNREG_PRODUCT_ID": ""}, "productId"),
    ],
)
def test_init_checks_before_it_writes(tmp_path, change, words):
    done = init(tmp_path, **(SECRETS | {"DYNREG_PRODUCT_ID": "ABCDEFGHIJ"} | change), code=1)
    assert done.err.startswith("dynreg: device_info.json: ")
    assert words in done.err
    assert list(tmp_path.iterdir()) == []


def test_init_refuses_a_file_that_git_has(tmp_path):
    (tmp_path / "device_info.json").write_text('{"productSecret": "YOUR_PRODUCT_SECRET"}')
    for command in (["init", "-q"], ["add", "device_info.json"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True, capture_output=True)
    done = init(tmp_path, "--product-id", "ABCDEFGHIJ", **SECRETS, code=1)
    assert "is in git" in done.err


def test_init_dry_run_writes_nothing(tmp_path):
    init(tmp_path, "--dry-run", "--product-id", "ABCDEFGHIJ", **SECRETS)
    assert list(tmp_path.iterdir()) == []


def seen(_process):
    """Nothing is typed."""


def asked(folder, *typed, **more):
    """init at a terminal: (text to wait for, answer or function), …; exit code and output."""
    pairs = [
        (text.encode(), answer if callable(answer) else answer.encode() + b"\r")
        for text, answer in typed
    ]
    return terminal.run(terminal.dynreg("init"), folder, environment() | more, typed=pairs)


def test_init_asks_again_until_an_answer_is_good(tmp_path):
    code, output = asked(
        tmp_path,
        ("Product id: ", "AB CD"),
        ("use 1 to 48", seen),
        ("Product id: ", "ABCDEFGHIJ"),
        ("not shown): ", "short"),
        ("has 5 characters", seen),
        ("not shown): ", "0123456789abcdef"),
        ("one of china, us-east, europe, ap-bangkok [china]: ", "moon"),
        ("write one of", seen),
        ("[china]: ", "europe"),
        ("[esp32-{mac}]: ", ""),
        ("Wi-Fi name", "x" * 33),
        ("33 bytes", seen),
        ("Wi-Fi name", "\x1b[Ahome"),
        ("an arrow key", seen),
        ("Wi-Fi name", "home"),
        ("Wi-Fi password", "1234567"),
        ("8 to 63", seen),
        ("Wi-Fi password", "12345678"),
    )
    assert code == 0, output
    values = json.loads((tmp_path / "device_info.json").read_text())
    assert values["wifi"] == {"ssid": "home", "password": "12345678"}
    assert values["region"] == "europe"


def test_init_keeps_the_answers_until_the_disk_takes_them(tmp_path):
    in_the_way = tmp_path / "device_info.json.part"
    in_the_way.mkdir()
    code, output = asked(
        tmp_path,
        ("mend it", lambda _process: in_the_way.rmdir()),
        ("gives up): ", ""),
        DYNREG_PRODUCT_ID="ABCDEFGHIJ",
        DYNREG_REGION="china",
        DYNREG_DEVICE_NAME="esp32-{mac}",
        DYNREG_WIFI_SSID="",
        DYNREG_PRODUCT_SECRET="0123456789abcdef",
    )
    assert code == 0, output


def test_init_ends_where_the_answers_end(tmp_path):
    code, output = asked(tmp_path, ("Product id: ", "\x04"))
    assert code == 1
    assert "nothing was written" in output
    assert "Traceback" not in output


# What people call their networks, in locales that have not all of these characters
NAMES = ("咖啡屋", "Café “Zoë”", "дом", "📶 home")
LOCALES = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "gbk": {"PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"},
    "cp1252": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
}


def in_locale(name, folder, *arguments, **more):
    """The command in a process of that locale, where nothing may ask for the locale's encoding."""
    return subprocess.run(
        terminal.dynreg(*arguments),
        cwd=folder,
        env=environment() | LOCALES[name] | {"PYTHONWARNDEFAULTENCODING": "1"} | more,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.ci
@pytest.mark.parametrize("locale", LOCALES)
def test_init_writes_utf8_whatever_the_locale(tmp_path, locale):
    for name in NAMES:
        done = in_locale(
            locale,
            tmp_path,
            *("init", "--force", "--product-id", "ABCDEFGHIJ", "--wifi-ssid", name),
            **SECRETS,
        )
        assert done.returncode == 0, done
        assert b"Warning" not in done.stderr
        text = (tmp_path / "device_info.json").read_bytes().decode()
        assert f'"ssid": "{name}"' in text  # as it was written, not \\u…


def test_what_is_printed_is_replaced_where_the_locale_has_it_not(tmp_path):
    folder = tmp_path / NAMES[0]
    folder.mkdir()
    for locale, shown in (("cp1252", b"???"), ("gbk", NAMES[0].encode("gbk"))):
        done = in_locale(locale, tmp_path, "deploy", "--device-info", f"{NAMES[0]}/none.json")
        assert done.returncode == 1
        assert done.stderr.startswith(b"dynreg: " + shown + b"/none.json: no such file")


@pytest.mark.ci
def test_a_board_joins_a_network_of_any_name(bench):
    """The file that init wrote, deployed and read on a board, in an ASCII locale."""
    name = "咖啡屋 “Zoë” 📶"
    board = bench.board("b0", wifi={name: WIFI["bench"]})
    bench.on(board)
    bench.configure(wifi={"ssid": name, "password": WIFI["bench"]}, note=name)
    done = in_locale("ascii", bench.folder, "provision", "--port", "boards/b0/port", "--json")
    assert json.loads(done.stdout)["outcome"] == "good"
    bench.power.close()
    assert f'"ssid": "{name}"'.encode() in Board(board.folder).read_file("/device_info.json")
