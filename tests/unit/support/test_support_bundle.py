"""`inline-proxy support-bundle`: everything is in it but secrets."""

import json
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inline_proxy.cli import main
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.support.contents import MOST_RECORDS
from inline_proxy.support.redaction import configuration_without_secrets, without_secrets

PASSWORD, TOKEN, KEY = "p4ssw0rd-of-a-uri", "0123456789abcdefabcd", "ab" * 32


class House:
    """A proxy's directories, with secrets wherever there may be some."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "key.pem"
        CertificateAuthority.create().issue().write(folder / "certificate.pem", self.key)
        self.config = folder / "config.yaml"
        self.config.write_text(
            f"# my password is {PASSWORD}\n"
            f"listen: {{tls_certificate: {folder}/certificate.pem, tls_private_key: {self.key}}}\n"
            "default_route: ['sip:192.0.2.1']\n"
        )
        for name in ("run", "state", "logs"):
            (folder / name).mkdir()
        (folder / "run" / "dialog-keys").write_text(f"{KEY}\n")
        (folder / "run" / "kamailio.cfg").write_text(f"# {KEY}\ndebug=1\n")
        lines = [json.dumps(self.record(n)) for n in range(MOST_RECORDS + 5)]
        (folder / "logs" / "calls.jsonl").write_text("\n".join(lines) + "\n")

    @staticmethod
    def record(n: int) -> dict[str, object]:
        """A record, as far as it matters; a token has got into a phrase."""
        return {"id": str(n), "to": "+14705550100", "phrase": f"<sip:x;lr;dialog={TOKEN}>"}

    def bundle(self, *options: str) -> Result:
        """Call the command."""
        places = (("--runtime-dir", "run"), ("--state-dir", "state"), ("--dir", "logs"))
        directories = [each for name, part in places for each in (name, str(self.folder / part))]
        output = ["-o", str(self.folder / "bundle.tar.gz"), "--admin", "127.0.0.1:1"]
        return CliRunner().invoke(
            main, ["support-bundle", str(self.config), *directories, *output, *options]
        )

    def texts(self) -> dict[str, str]:
        """What is in the archive."""
        with tarfile.open(self.folder / "bundle.tar.gz") as archive:
            return {
                member.name.partition("/")[2]: file.read().decode()
                for member in archive
                if (file := archive.extractfile(member))
            }


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The directories."""
    return House(tmp_path)


def test_bundle_holds_what_it_prints(house: House) -> None:
    """Readable by its owner alone."""
    result = house.bundle()

    assert result.exit_code == 0, result.output
    texts = house.texts()
    assert {line.split()[0] for line in result.output.splitlines()[1:]} == set(texts)
    assert (house.folder / "bundle.tar.gz").stat().st_mode & 0o777 == 0o600
    assert "inline-proxy " in texts["versions.txt"]
    assert json.loads(texts["status.json"])["health"] == "not_running"
    assert texts["check.txt"] == "no fault\n"
    assert len(texts["calls.jsonl"].splitlines()) == MOST_RECORDS
    assert "debug=1" in texts["rendered/kamailio.cfg"]
    assert "sip:192.0.2.1" in texts["config.yaml"]


def test_no_secret_is_in_the_bundle(house: House) -> None:
    """Neither as it is nor a line of a key; and each of them was there to be found."""
    house.bundle()

    everything = "\n".join(house.texts().values())
    lines_of_key = [line for line in house.key.read_text().splitlines() if "-----" not in line]
    for secret in (PASSWORD, TOKEN, KEY, *lines_of_key):
        assert secret not in everything
    assert "PRIVATE KEY" not in everything


def test_masked_bundle_shows_four_digits_of_numbers(house: House) -> None:
    """In the records."""
    house.bundle("--mask")

    assert "14705550100" not in house.texts()["calls.jsonl"]


def test_faulty_configuration_is_bundled_without_the_values_that_are_wrong(house: House) -> None:
    """It is when somebody needs help."""
    house.config.write_text(
        f"admin: {{listen: {PASSWORD}}}\nsecret: {PASSWORD}2\n"
        f"default_route: ['sip:user:{PASSWORD}3@192.0.2.1']\n"
    )

    assert house.bundle().exit_code == 0
    texts = house.texts()
    assert "admin.listen: is wrong" in texts["check.txt"]
    assert PASSWORD not in texts["check.txt"]
    assert f"{PASSWORD}2" not in texts["config.yaml"]
    assert "sip:user:(hidden)@192.0.2.1" in texts["config.yaml"]


def test_file_that_is_there_is_not_replaced(house: House) -> None:
    """It may be somebody's only copy."""
    house.bundle()

    again = house.bundle()
    assert again.exit_code == 1
    assert "give another file with -o" in again.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a -----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY----- b", "a (hidden) b"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "(hidden)"),
        ("https://user:pw@host/", "https://user:(hidden)@host/"),
        ("Authorization: Digest x\r\nTo: y", "Authorization:(hidden)\r\nTo: y"),
        ("<sip:h:5060;lr;dialog=abc>", "<sip:h:5060;lr;dialog=(hidden)>"),
        ("sip:+1470@192.0.2.1:5060", "sip:+1470@192.0.2.1:5060"),
    ],
)
def test_secret_is_known_by_its_form(text: str, expected: str) -> None:
    """And what is none stays."""
    assert without_secrets(text) == expected


def test_value_of_a_telling_name_is_hidden_wherever_it_stands() -> None:
    """In lists and mappings, and in what is no YAML at all."""
    text = "users: [{name: a, password_hash: h4sh}]\nkeepalive_s: 30\n"

    hidden = configuration_without_secrets(text)

    assert "h4sh" not in hidden
    assert "keepalive_s: 30" in hidden
    assert PASSWORD not in configuration_without_secrets(f"{{ {PASSWORD}: [")
