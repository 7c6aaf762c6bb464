"""The signatures of the stand-in, verified as a terminating provider would."""

import re
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from inline_proxy.lab.message import Message
from inline_proxy.lab.passport import KINDS, Signer
from unit.lab.talker import request

VALUE = re.compile(
    r"(?P<token>[\w-]+\.[\w-]+\.[\w-]+);info=<(?P<info>https://[^>]+\.pem)>;alg=ES256;ppt=(?P<ppt>\w+)"
)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    """A key to sign with."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def invite() -> Message:
    """A call from +14045550150 to +14045550101."""
    return Message.parse(request("INVITE", "+14045550101"))


@pytest.mark.parametrize("kind", KINDS)
def test_signature_verifies_with_the_public_key(
    key: ec.EllipticCurvePrivateKey, invite: Message, kind: str
) -> None:
    """ES256 over header and claims, with typ, ppt and x5u as RFC 8225 §4 has them."""
    value = VALUE.fullmatch(Signer(key).identity(invite, kind))
    assert value
    token = jwt.api_jwt.decode_complete(value["token"], key.public_key(), ["ES256"])

    assert token["header"] == {
        "alg": "ES256",
        "typ": "passport",
        "ppt": kind,
        "x5u": value["info"],
    }
    assert value["ppt"] == kind


def test_signature_of_another_key_is_refused(
    key: ec.EllipticCurvePrivateKey, invite: Message
) -> None:
    """The check above can fail."""
    token = Signer(key).identity(invite).partition(";")[0]
    other = ec.generate_private_key(ec.SECP256R1()).public_key()

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, other, ["ES256"])


def claims(value: str) -> dict[str, object]:
    """Read the claims without verifying."""
    decoded: dict[str, object] = jwt.decode(
        value.partition(";")[0], options={"verify_signature": False}
    )
    return decoded


def test_claims_name_caller_and_called(key: ec.EllipticCurvePrivateKey, invite: Message) -> None:
    """Numbers are digits alone (RFC 8224 §8.3), attestation is A, the time is now."""
    signed = claims(Signer(key).identity(invite))

    assert signed["orig"] == {"tn": "14045550150"}
    assert signed["dest"] == {"tn": ["14045550101"]}
    assert signed["attest"] == "A"
    assert abs(time.time() - float(str(signed["iat"]))) < 5


def test_asserted_identity_wins_over_from(key: ec.EllipticCurvePrivateKey) -> None:
    """An anonymous From is no number to sign."""
    text = request("INVITE", "+14045550101").replace(
        "Max-Forwards", "P-Asserted-Identity: <tel:+14045550177>\r\nMax-Forwards"
    )

    assert claims(Signer(key).identity(Message.parse(text)))["orig"] == {"tn": "14045550177"}


def test_caller_without_a_number_is_signed_as_a_uri(key: ec.EllipticCurvePrivateKey) -> None:
    """RFC 8225 §5.2.1 has `uri` for what is no telephone number."""
    text = request("INVITE", "+14045550101").replace("sip:+14045550150@", "sip:alice@")

    assert claims(Signer(key).identity(Message.parse(text)))["orig"] == {
        "uri": "sip:alice@192.0.2.9"
    }


def test_each_call_has_an_origid_of_its_own(
    key: ec.EllipticCurvePrivateKey, invite: Message
) -> None:
    """Two calls can be told apart."""
    signer = Signer(key)

    assert claims(signer.identity(invite))["origid"] != claims(signer.identity(invite))["origid"]


@pytest.mark.parametrize("wrong", ["rsa", "p384"])
def test_key_that_cannot_sign_es256_is_refused(tmp_path: Path, wrong: str) -> None:
    """Told at the start, not at the first call."""
    made = (
        rsa.generate_private_key(65537, 2048)
        if wrong == "rsa"
        else ec.generate_private_key(ec.SECP384R1())
    )
    path = tmp_path / "wrong.key"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(ValueError, match="P-256"):
        Signer.from_file(path)
