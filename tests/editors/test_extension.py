"""The extension: its program runs in a stand-in for the editor; the package holds what it should and nothing else."""

from __future__ import annotations

import json
import re
import struct
import sys
import zipfile
from pathlib import Path

import pytest

from striate.version import __version__

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("node")]

SETTING = re.compile(r"striate\.[a-z]+(?:\.[a-z]+)?")


@pytest.fixture(scope="module")
def staged(workshop, tmp_path_factory):
    """A copy of the extension with its packages."""
    return workshop.staged(tmp_path_factory.mktemp("extension") / "vscode")


@pytest.fixture(scope="module")
def package(workshop, staged):
    """The package as it would be published; making it checks the types and bundles the program."""
    workshop.run("npm", "run", "--silent", "package", "--", "--out", staged / "striate.vsix", cwd=staged)
    with zipfile.ZipFile(staged / "striate.vsix") as archive:
        yield archive


@pytest.fixture(scope="module")
def manifest(editors):
    return json.loads((editors / "vscode" / "package.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_program_works_in_a_stand_in_for_the_editor(workshop, staged, package):
    program = Path(sys.executable).with_name("striate")
    assert program.is_file(), "the tests run where striate is not installed"
    report = workshop.run("npm", "run", "--silent", "test", cwd=staged, STRIATE_PROGRAM=str(program))
    assert re.search(r"^# pass 2[0-9]$", report, re.MULTILINE), report
    assert "# fail 0" in report and "# skipped 0" in report


def test_the_package_holds_what_is_needed_and_nothing_else(package):
    inside = {name.removeprefix("extension/") for name in package.namelist() if name.startswith("extension/")}
    assert {name.lower() for name in inside} == {
        "changelog.md",
        "dist/extension.js",
        "dist/third-party-notices.txt",
        "icon.png",
        "language-configuration.json",
        "license.txt",
        "package.json",
        "readme.md",
        "snippets/cnn.json",
        "syntaxes/cnn.markdown.tmlanguage.json",
        "syntaxes/cnn.tmlanguage.json",
    }


def test_the_package_names_every_file_that_it_points_to(package, manifest):
    names = {name.removeprefix("extension/") for name in package.namelist()}
    contributes = manifest["contributes"]
    (language,) = contributes["languages"]
    (snippets,) = contributes["snippets"]
    paths = [
        manifest["main"],
        language["configuration"],
        *language["icon"].values(),
        snippets["path"],
        manifest["icon"],
    ]
    paths += [grammar["path"] for grammar in contributes["grammars"]]
    assert {path.removeprefix("./") for path in paths} <= names


def test_the_bundle_stands_alone_and_names_whose_work_is_in_it(package):
    program = package.read("extension/dist/extension.js").decode()
    assert set(re.findall(r'require\("([^"]+)"\)', program)) <= {
        *("vscode", "child_process", "crypto", "fs", "net", "os", "path", "readline", "url", "util"),
        *("node:child_process", "node:fs", "node:os", "node:path", "node:url"),
    }
    notices = package.read("extension/dist/THIRD-PARTY-NOTICES.txt").decode()
    packages = dict(re.findall(r"^([a-z-]+) [\d.]+ \(([\w.-]+)\)$", notices, re.MULTILINE))
    assert {"vscode-languageclient", "vscode-jsonrpc", "semver"} <= set(packages)
    assert set(packages.values()) <= {"MIT", "ISC", "BlueOak-1.0.0"}


def test_the_package_is_small(package):
    assert sum(info.compress_size for info in package.infolist()) < 500_000


def test_the_manifest_is_fit_to_publish(manifest, repository):
    assert manifest["license"] == "Apache-2.0"
    assert (repository / "dsl/editors/vscode/LICENSE").read_bytes() == (repository / "LICENSE").read_bytes()
    assert manifest["version"] == __version__
    assert f"## {manifest['version']}" in (repository / "dsl/editors/vscode/CHANGELOG.md").read_text(encoding="utf-8")
    for key in ("displayName", "description", "publisher", "icon", "categories", "keywords"):
        assert manifest[key], key


def test_versions_of_packages_are_exact(manifest, editors):
    lock = json.loads((editors / "vscode" / "package-lock.json").read_text(encoding="utf-8"))
    wanted = manifest["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


def test_every_setting_and_command_is_used_and_described(manifest, editors):
    sources = "".join(path.read_text(encoding="utf-8") for path in (editors / "vscode" / "src").glob("*.ts"))
    readme = (editors / "vscode" / "README.md").read_text(encoding="utf-8")
    settings = manifest["contributes"]["configuration"]["properties"]
    assert set(settings) == {"striate.path", "striate.trace.server"}
    assert 'getConfiguration("striate", resource).get<string>("path"' in sources
    assert 'new QuietAtFirst("striate"' in sources, "the client reads `striate.trace.server` by its identifier"
    assert set(SETTING.findall(readme)) & set(settings) == set(settings)
    for command in manifest["contributes"]["commands"]:
        assert f'registerCommand("{command["command"]}"' in sources
        assert command["title"] in readme


def test_the_icon_is_the_one_that_the_script_draws(workshop, editors):
    folder = editors / "vscode"
    data = (folder / "icon.png").read_bytes()
    assert struct.unpack(">II", data[16:24]) == (256, 256)
    code = """
        import { inflateSync } from "node:zlib";
        import { readFileSync } from "node:fs";
        const { pixels } = await import(process.argv[1]);
        const file = readFileSync(process.argv[2]);
        const start = file.indexOf("IDAT") + 4;
        const rows = inflateSync(file.subarray(start, start + file.readUInt32BE(start - 8)));
        const lines = Array.from({ length: 256 }, (_, row) => rows.subarray(row * 1025 + 1, (row + 1) * 1025));
        console.log(Buffer.concat(lines).equals(pixels()));
    """
    script = (folder / "scripts" / "icon.mjs").as_uri()
    assert workshop.run("node", "--input-type=module", "-e", code, script, folder / "icon.png").strip() == "true"
