"""Kamailio's entry script, and the only import of KSR."""

from pathlib import Path

import KSR

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.garbage import look_seldom
from clearip_proxy.policy import load_policy


def mod_init() -> Callbacks:
    """Make the object whose methods Kamailio calls; it reads the policy once."""
    callbacks = Callbacks(KSR, load_policy(Path(__file__).with_name("proxy.json")))
    look_seldom()
    return callbacks
