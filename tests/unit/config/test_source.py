"""The file as a whole: there, readable, text, YAML, a mapping without duplicate keys."""

import os
from pathlib import Path

import pytest

from inline_proxy.config import ConfigInvalid, ProxyConfig, load_config, parse_config
from unit.config.reading import faults_of


def messages_of(path: Path) -> list[str]:
    """The faults of a file as they are printed."""
    with pytest.raises(ConfigInvalid) as invalid:
        load_config(path)
    return str(invalid.value).splitlines()


def test_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The fault has the file's path in place of a key's."""
    path = tmp_path / "config.yaml"

    assert messages_of(path) == [f"{path}: cannot be read: No such file or directory"]


def test_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    """A directory is no configuration."""
    assert messages_of(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]


def test_file_name_with_a_null_character_is_refused() -> None:
    """No file can have that name."""
    (message,) = messages_of(Path("a\0b"))

    assert message.endswith(": cannot be read: no such name")


def test_file_that_is_not_utf8_is_refused_with_the_place(tmp_path: Path) -> None:
    """A file in Latin-1 is refused at its first foreign byte."""
    path = tmp_path / "config.yaml"
    path.write_bytes("# ö".encode("latin-1"))

    assert messages_of(path) == [f"{path}: is not UTF-8 text (byte 3)"]


def test_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Editors of other systems put one before the text."""
    path = tmp_path / "config.yaml"
    path.write_text("listen: {udp: 5080}", encoding="utf-8-sig")

    assert load_config(path).listen.udp == 5080


def test_empty_device_is_the_default_configuration() -> None:
    """`check /dev/null` shows that nothing needs to be configured."""
    assert load_config(Path(os.devnull)) == ProxyConfig()


def test_fault_of_a_key_keeps_its_path_and_line(tmp_path: Path) -> None:
    """Only faults of the whole file have the file's path."""
    path = tmp_path / "config.yaml"
    path.write_text("# a comment\nlisten:\n  udp: x\n")

    (message,) = messages_of(path)

    assert message.startswith("listen.udp: is not a port (found ")
    assert message.endswith(" [line 3]")


def test_list_entries_have_the_line_they_stand_on() -> None:
    """In a list of many lines the right one is named."""
    with pytest.raises(ConfigInvalid) as invalid:
        parse_config(
            "trusted:\n  - 10.0.0.0/8\n  - network: 192.0.2.1\n    name: a b\n  - nowhere\n"
        )

    assert [(fault.path, fault.line) for fault in invalid.value.faults] == [
        ("trusted[1].name", 4),
        ("trusted[2]", 5),
    ]


def test_missing_key_has_the_line_of_its_entry() -> None:
    """What is not there is reported where it should be."""
    with pytest.raises(ConfigInvalid) as invalid:
        parse_config("clearip:\n  sites:\n    - host: a.example\n    - port: 5061\n")

    assert [(fault.path, fault.line) for fault in invalid.value.faults] == [
        ("clearip.sites[1].host", 4)
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[]", "configuration: is not a mapping of keys (found an empty list)"),
        ("- listen", "configuration: is not a mapping of keys (found a list)"),
        ("listen", 'configuration: is not a mapping of keys (found "listen")'),
        ("? [a]\n: b", "configuration: has a key that is not a text"),
        (
            "listen: !vault x",
            'listen: has the tag "!vault"; write the value without',
        ),
        ("a: &a [*a]", "configuration: is nested too deeply, or within itself"),
        ("a: " + "[" * 5000, "configuration: is nested too deeply, or within itself"),
        ("a: \x07", "configuration: is not YAML: a character that no text has"),
    ],
)
def test_text_that_is_no_mapping_of_plain_values_is_refused(text: str, fault: str) -> None:
    """Nothing of YAML's stranger side reaches the model."""
    assert faults_of(text) == [fault]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("listen:\n  udp: [1, 2\n", "line 3, column 1"),
        ("listen:\n\tudp: 1\n", "line 2, column 1"),
        ("listen: {}\n  udp: 1\n", "line 2, column 3"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1"),
        ("a: *b", "line 1, column 4"),
    ],
)
def test_yaml_syntax_error_has_line_and_column(text: str, place: str) -> None:
    """The place is counted as editors count: from one."""
    (fault,) = faults_of(text)

    assert fault.startswith(f"configuration: is not YAML: {place}: ")


def test_yaml_syntax_error_does_not_repeat_the_text() -> None:
    """A private key in the wrong place stays out of terminals and logs."""
    (fault,) = faults_of('private_key: "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n')

    assert "BEGIN" not in fault
    assert "MIGH" not in fault


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    """All duplicates in one go, at every depth."""
    text = "listen:\n  udp: 1\n  udp: 2\ntrusted:\n- {network: 192.0.2.1, network: x}\nlisten: {}\n"

    with pytest.raises(ConfigInvalid) as invalid:
        parse_config(text)

    assert [str(fault) for fault in invalid.value.faults] == [
        "listen.udp: stands twice, first in line 2 [line 3]",
        "trusted[0].network: stands twice, first in line 5 [line 5]",
        "listen: stands twice, first in line 1 [line 6]",
    ]


def test_words_and_numbers_are_read_as_yaml_1_2_has_them() -> None:
    """`no` is a word, a leading zero is no octal, and sixties are no base."""
    assert faults_of("clearip: {partition: no}") == []
    assert parse_config("listen: {udp: 05080}").listen.udp == 5080
    assert parse_config("listen: {udp: 0x1400}").listen.udp == 5120


def test_date_and_version_1_1_keep_their_text() -> None:
    """What other versions of YAML make of a text is not made of it here."""
    (fault,) = faults_of("clearip: {domain: 2026-01-01}")

    assert '(found "2026-01-01")' in fault


def test_number_of_too_many_digits_is_refused_as_a_text() -> None:
    """Python turns at most a few thousand digits into a number."""
    (fault,) = faults_of(f"listen: {{udp: {'9' * 5000}}}")

    assert fault.startswith('listen.udp: is not a port (found "99999')


def test_anchor_and_alias_share_a_value() -> None:
    """Programs that write YAML use them for values that stand in two places."""
    text = "default_route: &route ['sip:a.example']\nemergency: {route: *route}\n"

    config = parse_config(text)

    assert config.emergency.route == config.default_route == ("sip:a.example",)


def test_aliases_that_multiply_are_refused() -> None:
    """A few lines that would unfold to a billion values end soon."""
    doubling = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))

    assert faults_of(f"a0: &a0 x\n{doubling}") == [
        "configuration: is nested too deeply, or within itself"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "listen: {tls_private_key: |\n  -----BEGIN PRIVATE KEY-----\n  MIGHAgEA\n  }\n",
        "listen:\n  tls_private_key: |\n    -----BEGIN PRIVATE KEY-----\n    MIGHAgEA\n",
        "listen:\n  tls_private_key: MIGHAgEA\n",
        "listen:\n  tls_certificate: |\n    -----BEGIN PRIVATE KEY-----\n    MIGHAgEA\n",
        'listen:\n  udp: "-----BEGIN PRIVATE KEY----- MIGHAgEA"\n',
        '"-----BEGIN PRIVATE KEY----- MIGHAgEA": 1\n',
        "trusted: [{network: |\n  MIGHAgEA\n  }]\n",
        "listen: {udp: [MIGHAgEA, {x: MIGHAgEA}]}",
    ],
)
def test_private_key_in_the_wrong_place_is_never_repeated(text: str) -> None:
    """Whoever pastes a key where its file belongs does not find it in the log."""
    faults = faults_of(text)

    assert faults
    assert not any("MIGH" in fault for fault in faults)
