"""What `./dev release` takes for a fault; CI runs it whole."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

import hatch_metadata
from dynreg_tools.release import archives, metadata, sources
from dynreg_tools.release.steps import ReleaseError, Steps, command
from dynreg_tools.sources import ROOT, version

GOOD = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n\n### Added\n\n- one\n"


def refused(check, *arguments):
    with pytest.raises(ReleaseError) as found:
        check(*arguments)
    return str(found.value)


# ---- the sources


def test_the_changelog_has_a_section_of_this_version():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert sources.changelog(text, version()).startswith(f"{version()} of 20")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("## [Unreleased]\n", ""), "must be '## [Unreleased]'"),
        (GOOD.replace("1.2.0", "1.1.0"), "stands no '## [1.2.0]"),
        (GOOD.replace(" - 2026-11-28", ""), "has no date"),
        (GOOD.replace("2026-11-28", "2026-13-28"), "has no date"),
        (GOOD.partition("### Added")[0], "says nothing"),
        ("", "must be"),
    ],
)
def test_a_changelog_without_it_is_refused(text, words):
    assert words in refused(sources.changelog, text, "1.2.0")


def test_what_is_left_under_unreleased_is_refused():
    assert sources.nothing_unreleased(GOOD)
    left = GOOD.replace("## [1.2.0]", "### Fixed\n\n- a thing\n- another\n\n## [1.2.0]")
    assert "2 under Unreleased (- a thing" in refused(sources.nothing_unreleased, left)


def test_a_version_that_is_elsewhere_another_is_refused(tmp_path):
    assert sources.one_version(ROOT, version()) == version()
    (tmp_path / "package.json").write_text('{"version": "0.0.9"}')
    assert "says 0.0.9, not 1.0.0" in refused(sources.one_version, tmp_path, "1.0.0")


def test_a_tree_that_is_not_committed_is_refused(tmp_path):
    git = ["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e@example.invalid"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    assert sources.clean(tmp_path)
    (tmp_path / "mine.txt").touch()
    assert "not committed: mine.txt" in refused(sources.clean, tmp_path)


def test_a_placeholder_is_told_with_its_place(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "start.md").write_text("git clone <repository>\n")
    (tmp_path / "pyproject.toml").write_text('[a]\nx = "https://example.invalid/a"\n')
    one, two = sources.placeholders(tmp_path)
    assert one.startswith("pyproject.toml:2: ")
    assert two.startswith("docs/start.md: ")


# ---- the archives


def test_a_file_too_many_and_one_too_few_are_refused():
    assert archives.same_names("wheel", ["a"], ["a"]) == "1 files in the wheel"
    said = refused(archives.same_names, "wheel", ["a", "__pycache__/a.pyc"], ["a", "b"])
    assert said == "wheel holds __pycache__/a.pyc, which does not belong there\nwheel lacks b"


def test_a_wheel_has_of_the_repository_what_pyproject_says():
    target = {
        "packages": ["tools/tool"],
        "force-include": {"lib": "tool/lib", "a.py": "tool/a.py"},
    }
    tracked = ["tools/tool/x.py", "tools/other.py", "lib/y/z.py", "a.py", "b.py", "library.py"]
    found = archives.expected_in_wheel(tracked, "tool-1", target)
    inside = {name for name in found if not name.startswith("tool-1.dist-info/")}
    assert inside == {"tool/x.py", "tool/lib/y/z.py", "tool/a.py"}
    assert "tool-1.dist-info/licenses/LICENSE" in found


TEMPLATE = (ROOT / "device_info.json").read_bytes()
KEY = b"-----BEGIN " + b"PRIVATE KEY-----\n" + b"MIIEvQ" * 10
FILLED_IN = TEMPLATE.replace(b"YOUR_PRODUCT_SECRET", b"hQ8Lw2pXv7")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"t": TEMPLATE, "k.pem": KEY}, "k.pem holds a private key"),
        ({"t": TEMPLATE, "c": b'id = "AKID' + b"z8" * 16 + b'"'}, "c holds a SecretId"),
        ({"t": TEMPLATE, "c": b"ghp_" + b"a1" * 18}, "c holds a token"),
        ({"t": TEMPLATE, "c": f"{ROOT}/lib".encode()}, "c holds a path of this machine"),
        ({"t": FILLED_IN}, "productSecret is no placeholder"),
        ({"t": TEMPLATE.replace(b"YOUR_DEVICE_SECRET", b"c2VjcmV0")}, "deviceSecret is no"),
    ],
)
def test_a_secret_in_an_archive_is_refused(files, words):
    assert archives.no_secrets({"t": TEMPLATE, "text": b"a private key"}, "t", [ROOT])
    assert words in refused(archives.no_secrets, files, "t", [ROOT])


def test_a_link_in_an_sdist_is_refused(tmp_path):
    path = tmp_path / "dynreg-1.0.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("dynreg-1.0.0/a")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
        link = tarfile.TarInfo("dynreg-1.0.0/b")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert "dynreg-1.0.0/b is no file" in refused(archives.sdist_files, path)


def test_builds_that_differ_are_refused():
    assert archives.same_bytes({"a": b"1"}, {"a": b"1"})
    said = refused(archives.same_bytes, {"a": b"1", "b": b"1"}, {"a": b"2", "c": b"1"})
    assert said == "a second build differs in a, b, c"


# ---- what PyPI shows


def test_links_are_led_to_the_repository_and_code_is_left():
    text = (
        "[a](docs/a.md#x) ![p](docs/p.png) [![q](./docs/q.svg)](docs/) [w](https://h/) [t](#top)\n"
        '<img src="docs/r.svg"> <source srcset="docs/d.svg">\n'
        "`x[0](y)` git clone <repository>\n\n```python\nf[0](here.md)\n```\n\n    g[1](code.md)\n"
        "[ref]: docs/ref.md\n"
    )
    page = "https://h/r/blob/v1/"
    raw = "https://h/r/raw/v1/"
    assert hatch_metadata.absolute(text, "https://h/r", "v1") == (
        f"[a]({page}docs/a.md#x) ![p]({raw}docs/p.png) [![q]({raw}docs/q.svg)]({page}docs/) "
        "[w](https://h/) [t](#top)\n"
        f'<img src="{raw}docs/r.svg"> <source srcset="{raw}docs/d.svg">\n'
        "`x[0](y)` git clone https://h/r\n\n```python\nf[0](here.md)\n```\n\n    g[1](code.md)\n"
        f"[ref]: {page}docs/ref.md\n"
    )


def test_a_link_that_leads_nowhere_is_found():
    html = '<a href="https://h/a">a</a><a href="#b">b</a><img src="docs/c.png"><a href="d.md">'
    assert metadata.relative_links(html) == ["docs/c.png", "d.md"]


def test_metadata_of_another_version_or_without_licence_is_refused():
    text = "Metadata-Version: 2.4\nVersion: 1.0\nLicense-Expression: MIT\n\nThe page\n"
    assert "License-File None" in refused(metadata.says, text, "1.0")
    whole = text.replace("\n\n", "\nLicense-File: LICENSE\n\n")
    assert metadata.says(whole, "1.0") == "1.0"
    assert "Version 1.0, not 1.1" in refused(metadata.says, whole, "1.1")


# ---- the command


def test_a_check_that_fails_holds_up_no_other():
    steps = Steps()
    assert not steps.run("one", lambda: json.loads("{"))
    assert steps.run("two", lambda: "seen")
    assert [(step["step"], step["ok"]) for step in steps.done] == [("one", False), ("two", True)]
    assert steps.done[0]["detail"].startswith("JSONDecodeError: ")
    assert not steps.ok


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path):
    program = "import sys; print('no room'); sys.exit(3)"
    said = refused(lambda: command(sys.executable, "-c", program, cwd=tmp_path))
    assert said.endswith("ended with 3: no room")
    assert "there is no none-such here" in refused(lambda: command("none-such", cwd=tmp_path))


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "thesis.txt").touch()
    command = [sys.executable, "dev", "release", "--out", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "assets: is there and is not ours: name another --out" in done.stderr
    assert (tmp_path / "assets" / "thesis.txt").exists()


@pytest.mark.ci
def test_without_a_network_it_says_so_and_leaves_what_is_there(tmp_path):
    (tmp_path / "dynreg-0.0.1.tar.gz").touch()
    done = subprocess.run(
        [sys.executable, "dev", "release", "--json", "--out", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert not found["ok"]
    assert "is there a network?" in found["steps"][-1]["detail"]
    assert [one["file"] for one in found["files"]] == ["dynreg-0.0.1.tar.gz"]
