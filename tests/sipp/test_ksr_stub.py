"""The types that the proxy is checked against are those of the Kamailio that runs it."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

KEMI = Path(__file__).resolve().parents[2] / "kemi"
GENERATOR = KEMI / "stubs" / "generate.py"
COMMITTED_STUB = KEMI / "stubs" / "KSR.pyi"
PORT = KEMI / "clearip_proxy" / "ksr" / "port.py"


@dataclass(frozen=True)
class Signature:
    """What a call must agree with; a union's members in any order."""

    parameters: tuple[str, ...]
    returns: frozenset[str]


def signature(function: ast.FunctionDef) -> Signature:
    """Return the types of a function or method."""
    typed = [each.annotation for each in (*function.args.posonlyargs, *function.args.args)]
    assert function.returns is not None
    returns = frozenset(ast.unparse(function.returns).split(" | "))
    return Signature(tuple(ast.unparse(each) for each in typed if each is not None), returns)


def functions(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    """Return the functions defined at the top of a body, by name."""
    return {each.name: each for each in body if isinstance(each, ast.FunctionDef)}


def classes(module: ast.Module) -> dict[str, dict[str, Signature]]:
    """Return each class's methods, by the class's name."""
    return {
        each.name: {name: signature(of) for name, of in functions(each.body).items()}
        for each in module.body
        if isinstance(each, ast.ClassDef)
    }


def named_by_the_port() -> dict[str, Signature]:
    """Return the functions that the port names, `module.function` or `function`."""
    module = ast.parse(PORT.read_text())
    protocols = classes(module)
    named: dict[str, Signature] = {}
    for name, of in protocols["KsrPort"].items():
        (returned,) = of.returns if len(of.returns) == 1 else ("",)
        if returned in protocols:
            named |= {f"{name}.{each}": types for each, types in protocols[returned].items()}
        else:
            named[name] = of
    return named


def offered_by(stub: str) -> dict[str, Signature]:
    """Return the functions that a stub declares, `module.function` or `function`."""
    module = ast.parse(stub)
    offered = {name: signature(of) for name, of in functions(module.body).items()}
    for name, methods in classes(module).items():
        prefix = name.removeprefix("_").lower()
        offered |= {f"{prefix}.{each}": types for each, types in methods.items()}
    return offered


@pytest.fixture(scope="module")
def fresh_stub() -> str:
    """Return the stub that the Kamailio installed here yields."""
    command = [sys.executable, str(GENERATOR), "--print"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_running_kamailio_has_every_function_that_the_port_names(fresh_stub: str) -> None:
    """On every supported version, with the same parameter and return types."""
    offered = offered_by(fresh_stub)

    differing = {
        name: (wanted, offered.get(name))
        for name, wanted in named_by_the_port().items()
        if offered.get(name) != wanted
    }

    assert not differing


def test_stub_made_again_by_its_own_version_is_the_committed_one(fresh_stub: str) -> None:
    """A stub names its version; another version's stub must name another one."""
    committed = COMMITTED_STUB.read_text()
    same_version = fresh_stub.splitlines()[0] == committed.splitlines()[0]

    assert same_version == (fresh_stub == committed)
