"""The checks of a release, in their order."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..build import package
from ..hub import Hub
from ..sources import ROOT, version
from . import archives, metadata, mip, places, sources
from .places import Place
from .steps import ReleaseError, Steps, command

VERSION = version()
_PRODUCT = "RELEASETST"
_FOLDERS = (
    "mip",
    "assets",
)  # beside wheel and sdist: the packages for mip, with folders and without


def run(
    steps: Steps, warnings: list[str], scratch: Path, out: Path, check: bool, draft: bool
) -> None:
    """Builds into `out`, and with `check` tries all of it; what is wrong is in `steps`.

    draft: what keeps a commit from being published is a warning.
    """

    def open_question(name: str, question: Callable[[], str]) -> None:
        if not draft:
            steps.run(name, question)
            return
        try:
            question()
        except ReleaseError as error:
            warnings.append(str(error))

    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    warnings += sources.placeholders(ROOT)
    if check:
        open_question("the work tree", lambda: sources.clean(ROOT))
        open_question("CHANGELOG.md: Unreleased", lambda: sources.nothing_unreleased(changes))
        steps.run("CHANGELOG.md", lambda: sources.changelog(changes, VERSION))
        steps.run("package.json", lambda: sources.one_version(ROOT, VERSION))
    built = _Built(scratch, out)
    if steps.run("wheel, sdist and packages for mip", built.build) and check:
        _tried(steps, built, scratch)


class _Built:
    """What is published, and the venv of the tools that build and judge it."""

    def __init__(self, scratch: Path, out: Path) -> None:
        self.epoch = command("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
        self.tracked = sources.tracked(ROOT)
        self.scratch, self.out = scratch, out
        self.project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        for name in _FOLDERS:
            if (out / name).exists() and not (out / name / package.LIST).is_file():
                raise ReleaseError(f"{out / name}: is there and is not ours: name another --out")

    def build(self) -> str:
        """Into `out`, whole or not at all; what an earlier run left there goes."""
        self.tools = Place(self.scratch / "tools", self.epoch)
        self.tools.install(*self.project["dependency-groups"]["release"])
        new = self.scratch / "dist"
        theirs = self.tools.environment
        wheel, sdist = archives.build(self.tools.python, ROOT, new, theirs)
        package.flatten(package.build(new), new / "assets")
        self.out.mkdir(parents=True, exist_ok=True)
        for old in [*self.out.glob("dynreg-*.whl"), *self.out.glob("dynreg-*.tar.gz")]:
            old.unlink()
        for name in _FOLDERS:
            shutil.rmtree(self.out / name, ignore_errors=True)
        for path in (wheel, sdist, *(new / name for name in _FOLDERS)):
            shutil.move(path, self.out / path.name)
        self.wheel, self.sdist = self.out / wheel.name, self.out / sdist.name
        return f"{self.wheel.name}, {self.sdist.name}, mip/, assets/"

    def contents(self) -> str:
        """What is in the two archives."""
        wheel = archives.wheel_files(self.wheel)
        sdist = archives.sdist_files(self.sdist)
        name = f"dynreg-{VERSION}"
        target = self.project["tool"]["hatch"]["build"]["targets"]["wheel"]
        wanted = archives.expected_in_wheel(self.tracked, name, target)
        said = [
            archives.same_names("wheel", wheel, wanted),
            archives.same_names("sdist", sdist, {*self.tracked, "PKG-INFO"}),
        ]
        here = (ROOT, Path.home())
        archives.no_secrets(wheel, "dynreg_tools/board_files/device_info.json", here)
        said.append(archives.no_secrets(sdist, "device_info.json", here))
        for text in (wheel[f"{name}.dist-info/METADATA"], sdist["PKG-INFO"]):
            metadata.says(text.decode(), VERSION)
        return "; ".join(said)

    def metadata(self) -> str:
        """The judgement of PyPI's tools."""
        text = archives.sdist_files(self.sdist)["PKG-INFO"].decode()
        return metadata.judged(self.tools, self.wheel, self.sdist, text)

    def twice(self) -> str:
        """A second sdist, and a second set of packages, have the same bytes."""
        out = self.scratch / "twice"
        words = ("-m", "build", "--sdist", "--outdir", out, ROOT)
        command(self.tools.python, *words, cwd=ROOT, environment=self.tools.environment)
        package.flatten(package.build(out), out / "assets")
        mine = {self.sdist.name: self.sdist.read_bytes()} | _tree(self.out)
        theirs = {self.sdist.name: (out / self.sdist.name).read_bytes()}
        return archives.same_bytes(mine, theirs | _tree(out))


def _tree(top: Path) -> dict[str, bytes]:
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for folder in _FOLDERS
        for path in (top / folder).rglob("*")
        if path.is_file()
    }


def _tried(steps: Steps, built: _Built, scratch: Path) -> None:
    wheel = built.wheel
    with ThreadPoolExecutor(1) as pool:  # the sdist beside the wheel: both wait for disk and line
        from_sdist = pool.submit(_from_sdist, built)
        steps.run("contents", built.contents)
        steps.run("metadata", built.metadata)
        steps.run("the same bytes twice", built.twice)
        place = Place(scratch / "wheel", built.epoch)
        steps.run("wheel", lambda: places.only_its_dependencies(place, wheel, VERSION))
        steps.run("wheel with [hub]: the demo", lambda: places.demo(place, wheel))
        steps.run("wheel: the examples' tests", lambda: places.examples(place, ROOT / "examples"))
        steps.run("sdist: a wheel of the same bytes, the demo", from_sdist.result)
    with mip.served(built.out) as url, Hub(product_id=_PRODUCT, register_type=2) as hub:
        services = ["package", *(path.stem for path in built.out.glob("assets/*.json"))]
        services = list(dict.fromkeys(services))
        flat = [f"{url}/assets/{name}.json" for name in services]
        steps.run(
            "mip on a blank board, of files without folders",
            lambda: mip.by_mip(flat, VERSION, scratch / "board", hub),
        )
        folders = ["", *(f"{name}/" for name in services[1:])]
        packages = [f"{url}/mip/{folder}package.json" for folder in folders]
        steps.run("mpremote mip install", lambda: mip.by_mpremote(packages, scratch / "other"))


def _from_sdist(built: _Built) -> str:
    place = Place(built.scratch / "sdist", built.epoch)
    made = places.again(place, built.sdist)
    archives.same_bytes({"": built.wheel.read_bytes()}, {"": made.read_bytes()})
    return places.demo(place, made)
