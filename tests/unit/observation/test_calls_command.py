"""`inline-proxy calls`: which records it prints, and how."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inline_proxy.cli import main
from unit.observation.told import answer, asked, attempted, begun, identity, records_of, told


def record(**changes: object) -> dict[str, Any]:
    """A valid record with changes."""
    events = [begun(), asked(), answer(identities=[identity()])]
    (made,) = records_of(
        *events, told("finished", 9, status=486, phrase="Busy Here", canceled=False)
    )
    return {**made, **changes}


NOW = datetime.now(UTC).isoformat(timespec="microseconds")
RECORDS = [
    record(id="old", begun_at="2020-01-01T00:00:00.000000+00:00", call_id="a"),
    record(id="new", begun_at=NOW, call_id="b", to="+14705550199"),
    record(id="fine", begun_at=NOW, status=200, call_id="c"),
    record(id="blocked", begun_at=NOW, disposition="blocked", status=603, call_id="d"),
    record(id="canceled", begun_at=NOW, canceled=True, status=487, call_id="e"),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where records lie, the oldest in a file that was rotated away."""
    lines = [json.dumps(each) + "\n" for each in RECORDS]
    (tmp_path / "calls.jsonl.1").write_text(lines[0])
    os.utime(tmp_path / "calls.jsonl.1", (1_577_836_900, 1_577_836_900))  # as old as its record
    (tmp_path / "calls.jsonl").write_text("".join(lines[1:]))
    return tmp_path


def printed(directory: Path, *options: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(main, ["calls", "--dir", str(directory), *options])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["old", "new", "fine", "blocked", "canceled"]),
        (["--since", "1h"], ["new", "fine", "blocked", "canceled"]),
        (["--since", "2020-01-01T00:00:00+00:00"], ["old", "new", "fine", "blocked", "canceled"]),
        (["--number", "+14045550100", "--blocked"], ["blocked"]),
        (["--since", "2019-01-01"], ["old", "new", "fine", "blocked", "canceled"]),
        (["--call-id", "c"], ["fine"]),
        (["--number", "+14705550199"], ["new"]),
        (["--number", "5550199"], ["new"]),
        (["--failed"], ["old", "new", "blocked"]),
        (["--blocked"], ["blocked"]),
        (["--failed", "--since", "1h", "--number", "0100"], ["blocked", "new"]),
    ],
)
def test_options_choose_records(directory: Path, options: list[str], expected: list[str]) -> None:
    """Together they narrow; rotated files are searched as well."""
    lines = printed(directory, "--json", *options).splitlines()

    assert sorted(json.loads(line)["id"] for line in lines) == sorted(expected)


def test_time_that_is_none_is_refused_with_what_is_allowed(directory: Path) -> None:
    """Nothing is printed."""
    result = CliRunner().invoke(main, ["calls", "--dir", str(directory), "--since", "soon"])

    assert result.exit_code == 2
    assert "allowed: 30s, 10m, 2h, 7d" in result.output


def test_masked_records_show_four_digits_of_every_number(directory: Path) -> None:
    """In URIs and claims, too."""
    text = printed(directory, "--json", "--mask", "--call-id", "b")

    assert "14705550199" not in text
    assert "14045550100" not in text
    assert json.loads(text)["to"] == "+*******0199"


def test_table_is_csv_and_holds_no_formula(tmp_path: Path) -> None:
    """A caller may call itself anything, and a spreadsheet would run it."""
    (tmp_path / "calls.jsonl").write_text(json.dumps(record(**{"from": "=1+1"})) + "\n")

    (row,) = csv.DictReader(io.StringIO(printed(tmp_path, "--csv")))

    assert row["from"] == "'=1+1"
    assert row["status"] == "486"


def test_line_for_people_says_what_happened(tmp_path: Path) -> None:
    """And nothing that a terminal would act on."""
    (tmp_path / "calls.jsonl").write_text(json.dumps(record(phrase="\x1b[31mBusy")) + "\n")

    line = printed(tmp_path)

    assert "+14045550100 > +14705550100" in line
    assert "ClearIP 302" in line
    assert "\x1b" not in line


def test_no_records_are_no_error(tmp_path: Path) -> None:
    """A proxy that has had no call yet."""
    result = CliRunner().invoke(main, ["calls", "--dir", str(tmp_path), "--json"])

    assert result.exit_code == 0
    assert result.output.splitlines() == [f"no such call in {tmp_path}/calls.jsonl"]


def test_directory_that_is_none_is_named_with_what_to_do(tmp_path: Path) -> None:
    """An empty answer would look like a quiet night."""
    result = CliRunner().invoke(main, ["calls", "--dir", str(tmp_path / "none")])

    assert result.exit_code == 1
    assert f"{tmp_path}/none is not there; give --dir" in result.output


def test_line_of_an_answered_call_tells_every_step(tmp_path: Path) -> None:
    """Why the first target was not it, whether it was signed, and who hung up."""
    events = [
        *(begun(), asked(1), answer(21, identities=[identity()]), attempted(23, 1)),
        told("failed", 60, n=1, canceled=False, status=503, phrase="No"),
        *(attempted(61, 2), told("rang", 100, status=180), told("answered", 2_100, status=200)),
        told("hung_up", 92_100, "", call_id="c1@switch", from_tag="tag-a", to_tag="b"),
    ]
    (tmp_path / "calls.jsonl").write_text(json.dumps(records_of(*events)[0]) + "\n")

    assert (
        printed(tmp_path)
        .rstrip()
        .endswith(
            "  signed        200  ClearIP 302 in 20 ms; PASSporT A; 192.0.2.1:5060 503, "
            "192.0.2.2:5060 200; rang 2000 ms; talked 1 min 30 s, the caller hung up [c1@switch]"
        )
    )
    (row,) = csv.DictReader(io.StringIO(printed(tmp_path, "--csv")))
    assert (row["clearip_status"], row["attest"]) == ("302", "A")
    assert (row["attempts"], row["tried"]) == ("2", "192.0.2.1:5060 503 | 192.0.2.2:5060 200")


def test_followed_records_are_printed_as_they_come(directory: Path) -> None:
    """Also those of a new file, after the old one was rotated away; none twice."""
    command = [sys.executable, "-m", "inline_proxy", "calls", "--follow", "--json"]
    with subprocess.Popen(
        [*command, "--dir", str(directory)], stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        known = [json.loads(following.stdout.readline())["id"] for _ in RECORDS]
        with (directory / "calls.jsonl").open("a") as file:
            file.write(json.dumps(record(id="late")) + "\n")
        late = json.loads(following.stdout.readline())["id"]
        with (directory / "calls.jsonl").open("a") as file:
            file.write(json.dumps(record(id="last before")) + "\n")
        (directory / "calls.jsonl").rename(directory / "calls.jsonl.1")
        (directory / "calls.jsonl").write_text(json.dumps(record(id="rotated")) + "\n")
        rotated = [json.loads(following.stdout.readline())["id"] for _ in range(2)]
        following.terminate()

    assert known == [each["id"] for each in RECORDS]
    assert [late, *rotated] == ["late", "last before", "rotated"]


def test_records_are_found_while_there_is_no_current_file(directory: Path) -> None:
    """Between a rotation and the next call."""
    (directory / "calls.jsonl").unlink()

    assert json.loads(printed(directory, "--json"))["id"] == "old"
