"""The stand-in that each test of the lab talks to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inline_proxy.lab.answer import Means
from inline_proxy.lab.certificates import LabFiles, write_lab_files
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.passport import Signer
from inline_proxy.lab.recording import MemoryRecord
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from unit.lab.talker import Talker, talk

CARRIERS = {name: f"sip:127.0.0.1:700{place}" for place, name in enumerate("ABCDEF", start=1)}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> LabFiles:
    """Keys and certificates, made once."""
    return write_lab_files(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def means(files: LabFiles) -> Means:
    """A signer, and where six carriers would be."""
    return Means(Signer.from_file(files.signing_key), CARRIERS)


@pytest.fixture
def record() -> MemoryRecord:
    """What the stand-in takes down."""
    return MemoryRecord()


@pytest.fixture
def stand_in(files: LabFiles, means: Means, record: MemoryRecord) -> Iterator[StandIn]:
    """A stand-in with the numbering plan, over TLS."""
    tls = TlsIdentity(Path(files.certificate), Path(files.private_key))
    with in_thread(StandIn(Settings(means), record, tls)) as running:
        yield running


@pytest.fixture
def clearip(stand_in: StandIn, files: LabFiles) -> Iterator[Talker]:
    """A TLS connection to the stand-in."""
    with talk(stand_in.port, files.ca) as talker:
        yield talker
