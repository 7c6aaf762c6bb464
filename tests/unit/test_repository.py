"""Rules about the repository itself, which no tool checks."""

import ast
import os
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from inline_proxy.cli import main

ROOT = Path(__file__).resolve().parents[2]
KEMI = ROOT / "kemi"
CORE = KEMI / "clearip_proxy"
SOURCES = [ROOT / name for name in ("bench", "src", "kemi", "tests")]

# What runs inside Kamailio and is neither Python's own nor ours; each has a decision record.
LIBRARIES_INSIDE_KAMAILIO = {
    "kemi/clearip_proxy/sites/certificate_reading.py": {"cryptography"},
    "kemi/clearip_proxy/location/dns_records.py": {"dns"},
}
# Names that say nothing about what is inside.
FORBIDDEN_NAMES = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
LONGEST_FILE = 300


def python_files(*folders: Path) -> Iterator[Path]:
    """Yield the Python sources below the folders."""
    for folder in folders:
        yield from sorted(folder.rglob("*.py"))


def relative(paths: Iterator[Path]) -> list[str]:
    """Return paths as a person writes them, so that a failure reads well."""
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def imported_by_core(path: Path) -> set[str]:
    """Return the modules of the core that a file imports, without the package's name."""
    own = {name for name in imported(path) if name.startswith("clearip_proxy.")}
    return {name.removeprefix("clearip_proxy.") for name in own}


def core() -> dict[str, set[str]]:
    """Return what each module of the core imports of it, by names within its package."""
    return {
        ".".join(path.relative_to(CORE).with_suffix("").parts): imported_by_core(path)
        for path in python_files(CORE)
    }


def is_next_to_kamailio(module: str) -> bool:
    """Tell whether a module of the core joins it to Kamailio; every other one is pure."""
    return module == "callbacks" or module.startswith("ksr.")


def scripts() -> list[Path]:
    """Return the files that a person or a machine starts by name."""
    named = [ROOT / "scripts" / name for name in ("bench", "bootstrap", "demo", "play", "test")]
    return [*named, *(ROOT / "scripts" / "lib").glob("in-*"), ROOT / ".ci" / "run"]


def documents() -> list[Path]:
    """Return the texts for people."""
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *KEMI.rglob("*.md")]


def test_code_inside_kamailio_imports_the_standard_library_alone() -> None:
    """An installed Kamailio brings Python; what else it needs is recorded, file by file."""
    allowed = sys.stdlib_module_names | {"clearip_proxy", "KSR"}
    foreign = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files(KEMI)
        if "stubs" not in path.parts
        for name in imported(path)
        if name.split(".")[0]
        not in allowed | LIBRARIES_INSIDE_KAMAILIO.get(str(path.relative_to(ROOT)), set())
    }

    assert foreign == set()


def test_kamailio_is_imported_by_the_entry_script_alone() -> None:
    """Whatever else needs it is given it, and so can be given a double."""
    importers = (path for path in python_files(*SOURCES) if "KSR" in imported(path))

    assert relative(importers) == ["kemi/proxy.py"]


def test_pure_modules_import_nothing_next_to_kamailio() -> None:
    """Decisions are functions of values; only `ksr/` and the callbacks know Kamailio."""
    impure = {
        name: known
        for name, imports in core().items()
        if not is_next_to_kamailio(name)
        and (known := {module for module in imports if is_next_to_kamailio(module)})
    }

    assert impure == {}


def test_modules_of_the_core_import_each_other_in_one_direction() -> None:
    """A cycle would mean that two modules are one idea; it raises CycleError here."""
    order = set(TopologicalSorter(core()).static_order())

    assert {name for name in order if is_next_to_kamailio(name)}


def test_files_are_short_enough_to_be_read_in_one_go() -> None:
    """One idea to a file."""
    long = (
        path for path in python_files(*SOURCES) if len(path.read_text().splitlines()) > LONGEST_FILE
    )

    assert relative(long) == []


def test_every_file_name_says_what_is_inside() -> None:
    """No drawer for odds and ends."""
    vague = (path for path in python_files(*SOURCES) if path.stem in FORBIDDEN_NAMES)

    assert relative(vague) == []


@pytest.mark.parametrize("script", scripts(), ids=lambda path: path.name)
def test_script_may_be_started_and_names_its_interpreter(script: Path) -> None:
    """A clone's files keep these bits."""
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/")


def test_scenario_is_named_after_its_file() -> None:
    """SIPp prints the name: it must lead to the file."""
    names = {
        path.stem: ET.parse(path).getroot().get("name")  # noqa: S314 - our own files
        for folder in SOURCES
        for path in folder.rglob("*.xml")
    }

    assert names
    assert {stem: name for stem, name in names.items() if stem != name} == {}


def test_changelog_has_a_place_for_what_is_not_released() -> None:
    """Whoever changes what an operator sees writes it there."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A reader who follows a link finds the file."""
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text())
    broken = [target for target in targets if not (document.parent / target).exists()]

    assert broken == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_a_document_exist(document: str) -> None:
    """Every script and every command of `inline-proxy` that is shown can be typed."""
    text = (ROOT / document).read_text()
    shown = set(re.findall(r"\b((?:scripts|\.ci|kemi)/[\w/.-]*\w)", text))
    missing = {path for path in shown if not (ROOT / path).exists()}
    commands = set(re.findall(r"inline-proxy ([a-z]+(?:-[a-z]+)*)\b", "\n".join(code_in(text))))

    assert missing == set()
    assert commands <= set(main.commands)


def code_in(text: str) -> list[str]:
    """Return what a Markdown text shows as code, in blocks and in lines."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", text)]


def test_development_tools_are_pinned_with_their_hashes() -> None:
    """The same releases on every machine, from whichever registry it is set up to use."""
    text = (ROOT / "requirements-dev.txt").read_text()
    lines = text.replace("\\\n", "").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]

    assert len(requirements) > 1
    assert [line for line in requirements if "==" not in line or "--hash=" not in line] == []
    assert "://" not in text
