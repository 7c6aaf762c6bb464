"""The environment that Kamailio runs in: what no file of its own can say."""

import os
from collections.abc import Mapping


def kamailio_environment() -> Mapping[str, str]:
    """Return this process's environment with a bound on what a silent name server costs.

    Kamailio asks for the host's full name before it does anything else, even before it tells
    its version: by default that takes ten seconds for every name server that does not answer.
    """
    options = os.environ.get("RES_OPTIONS", "")
    return os.environ | {"RES_OPTIONS": f"{options} timeout:1 attempts:1".lstrip()}
