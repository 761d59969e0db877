"""Interpreters beside the wheel: found, asked, fetched from Debian or npm, or why not.

Nothing is fetched here: apt-get and npm are scripts.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha256

import pytest

from dynreg_tools.build import debian, interpreters, npm
from dynreg_tools.build.interpreters import InterpreterError

TOOL = ["-m", interpreters.__name__]
I386 = "debian-i386"


def fetch(folder, *arguments, path):
    return subprocess.run(
        [sys.executable, *TOOL, I386, "--folder", folder, *arguments],
        env={**os.environ, "PATH": str(path)},
        capture_output=True,
        text=True,
    )


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_without_apt_it_says_so_once_and_is_tried_again_when_asked(tmp_path):
    folder = tmp_path / "micropython"
    assert fetch(folder, "--check", path=tmp_path).returncode == 1
    done = fetch(folder, path=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("dev: there is no MicroPython 1.25.0 (debian-i386): it ")
    assert len(done.stderr.splitlines()) == 1
    assert fetch(folder, "--check", path=tmp_path).returncode == 0
    assert fetch(folder, "--check", "--again", path=tmp_path).returncode == 1
    assert [file.name for file in (folder / I386).iterdir()] == ["why_not.txt"]


@pytest.fixture
def x86(monkeypatch, tmp_path):
    """A machine of Debian's, as far as it goes, with its own apt-get."""
    monkeypatch.setattr(debian.platform, "machine", lambda: "x86_64")
    sources = tmp_path / "apt"
    sources.mkdir()
    (sources / "sources.list").write_text("deb http://mirror.invalid/debian bookworm main\n")
    monkeypatch.setattr(debian, "SOURCES", sources)
    tools = tmp_path / "bin"
    script(tools / "dpkg-deb", "exit 0")
    script(tools / "apt-get", "exit 0")
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return tools


def test_without_a_network_it_says_what_apt_says(x86, tmp_path):
    script(x86 / "apt-get", 'echo "E: Failed to fetch it" >&2; exit 100')
    with pytest.raises(InterpreterError) as caught:
        interpreters.fetch(I386, tmp_path / "micropython")
    assert str(caught.value) == (
        "there is no MicroPython 1.25.0 (debian-i386): apt-get update failed (no network?): "
        "E: Failed to fetch it"
    )


def test_apt_works_in_a_folder_of_its_own(x86, tmp_path):
    log = tmp_path / "log"
    script(x86 / "apt-get", f'echo "$@" >> {log}; cat "$3" "${{3%/*}}/sources.list" >> {log}')
    with pytest.raises(InterpreterError, match="no longer has micropython_"):
        interpreters.fetch(I386, tmp_path / "micropython")
    text = log.read_text()
    assert "deb [arch=i386] http://mirror.invalid/debian trixie main" in text
    assert " download micropython libc6 " in text
    places = [line.split('"')[1] for line in text.splitlines() if line.startswith("Dir::")]
    own = str(tmp_path / "micropython")
    assert len(places) > 8
    assert all(place.startswith((own, "-")) for place in places)


@pytest.mark.parametrize("text", ["", "deb http://mirror.invalid/ubuntu noble main\n"])
def test_without_a_debian_mirror_it_says_so(x86, tmp_path, text):
    (debian.SOURCES / "sources.list").write_text(text)
    with pytest.raises(InterpreterError, match="apt has no Debian mirror"):
        interpreters.fetch(I386, tmp_path / "micropython")


def test_on_another_processor_it_says_so(x86, tmp_path, monkeypatch):
    monkeypatch.setattr(debian.platform, "machine", lambda: "aarch64")
    with pytest.raises(InterpreterError, match="runs on x86 only, this is aarch64"):
        interpreters.fetch(I386, tmp_path / "micropython")


STANZAS = """\
Types: deb
# URIs: http://comment.invalid/debian
URIs: http://one.invalid/debian http://two.invalid/debian/
Suites: bookworm
Components: main contrib
Signed-By: /usr/share/keyrings/one.gpg

Types: deb
URIs: http://three.invalid/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://four.invalid/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://five.invalid/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://six.invalid/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
"""
LINES = """\
# deb http://seven.invalid/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://eight.invalid/debian bookworm contrib main
deb http://nine.invalid/debian bookworm contrib
"""


def test_the_mirror_and_its_key_are_those_of_this_machines_apt(tmp_path):
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "b.sources").write_text(STANZAS)
    (parts / "a.list").write_text(LINES)
    (parts / "c.sources.off").write_text(STANZAS)
    assert [(mirror.uri[7:], mirror.signed_by) for mirror in debian.mirrors(tmp_path)] == [
        ("eight.invalid/debian", "/k.gpg"),
        ("one.invalid/debian", "/usr/share/keyrings/one.gpg"),
        ("two.invalid/debian/", "/usr/share/keyrings/one.gpg"),
        ("six.invalid/debian", ""),
    ]


def test_the_interpreter_is_the_pinned_one_and_a_library_may_be_newer(tmp_path):
    interpreter, newer = tmp_path / "micropython_1_i386.deb", tmp_path / "libc6_2.99_i386.deb"
    interpreter.write_bytes(b"as pinned")
    newer.write_bytes(b"of a point release")
    files = {interpreter.name: sha256(b"as pinned").hexdigest(), "libc6_2.41_i386.deb": "0" * 64}
    pinned = debian.Packages("trixie", "i386", files)
    debian.check(pinned, [newer, interpreter])
    with pytest.raises(InterpreterError, match="no longer has micropython_1"):
        debian.check(pinned, [newer])
    interpreter.write_bytes(b"another")
    with pytest.raises(InterpreterError, match="is not the file that was pinned"):
        debian.check(pinned, [newer, interpreter])


@pytest.fixture
def npm_with(monkeypatch, tmp_path):
    """Puts an npm in PATH that does this, and a Node.js that does nothing."""

    def put(does):
        tools = tmp_path / "npm bin"
        script(tools / "npm", does)
        script(tools / "node", "exit 0")
        monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")

    return put


def test_without_npm_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InterpreterError, match=r"npm-1.23.0\): it comes from npm and runs"):
        interpreters.fetch("npm-1.23.0", tmp_path / "micropython")


@pytest.mark.parametrize(
    "does, says",
    [
        ('echo "npm error it is offline" >&2; exit 1', "npm pack failed .*it is offline"),
        ("exit 0", "is not the file that was pinned"),
        ('for it; do :; done; echo x > "x-1.tgz"', "is not the file that was pinned"),
    ],
)
def test_what_npm_brings_is_the_pinned_file_or_nothing(npm_with, tmp_path, does, says):
    npm_with(does)
    with pytest.raises(InterpreterError, match=says):
        npm.install("x@1", {"x-1.tgz": "0" * 64}, tmp_path, tmp_path)
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize("name", interpreters.pinned())
def test_each_is_of_the_release_and_the_words_that_it_is_listed_with(name):
    if why := interpreters.why_not(name):
        pytest.skip(why)
    pin, found = interpreters.pinned()[name], interpreters.of_name(name)
    assert (found.release, found.bits) == (pin["release"], pin["bits"])
    assert (found.can >= interpreters.NETWORK) is ("debian" in pin)


def test_what_is_fetched_runs_wherever_its_folder_lies(tmp_path):
    if why := interpreters.why_not():
        pytest.skip(why)
    there = tmp_path / "moved here"
    shutil.copytree(interpreters.CACHE / I386, there)
    moved = interpreters.ask(there / "micropython")
    assert (moved.bits, moved.release) == (32, "1.25.0")
    command = "./micropython -c 'import tls, sys; print(sys.argv)' x"
    ran = subprocess.run(["sh", "-c", command], cwd=there, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "['-c', 'x']\n", ran.stderr


def test_interpreters_of_the_environment_are_asked_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "CACHE", tmp_path)
    wheel = interpreters.wheel()
    assert wheel.bits == 64
    assert wheel.release.startswith("1.29.0")
    monkeypatch.setenv(interpreters.VARIABLE, "")
    assert interpreters.available() == []
    monkeypatch.setenv(interpreters.VARIABLE, f"{wheel.path}{os.pathsep}")
    assert [(one.name, one.bits) for one in interpreters.available()] == [("micropython", 64)]
    lame = tmp_path / "lame"
    script(lame, "echo '{}'".format('{"bits": 32, "release": "1.22.0", "can": []}'))
    monkeypatch.setenv(interpreters.VARIABLE, str(lame))
    assert [one.name for one in interpreters.named()] == ["lame"]
    assert interpreters.available() == []
    with pytest.raises(InterpreterError, match="a MicroPython without sockets, tls"):
        interpreters.ask(lame, needs=interpreters.NETWORK)
    monkeypatch.setenv(interpreters.VARIABLE, "/nowhere/micropython")
    with pytest.raises(InterpreterError, match="/nowhere/micropython is no MicroPython"):
        interpreters.available()
