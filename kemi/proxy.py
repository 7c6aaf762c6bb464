"""Kamailio's entry script, and the only import of KSR."""

from pathlib import Path

import KSR

from clearip_proxy.callbacks import QUICK, Callbacks
from clearip_proxy.policy import load_policy
from clearip_proxy.process.garbage import look_seldom
from clearip_proxy.process.reloading import GENERATION, Reloading, generation
from clearip_proxy.process.shared_numbers import SharedNumbers


def mod_init() -> Reloading:
    """Make the object whose methods Kamailio calls; it reads the policy anew when it changes."""
    policy = Path(__file__).with_name("proxy.json")
    # Kamailio has not forked yet. Nobody has looked how full it is either, but a ceiling that is
    # configured holds from the first call on.
    numbers = SharedNumbers(load_policy(policy).overload.max_cps)
    callbacks = Reloading(
        lambda: Callbacks(KSR, load_policy(policy), numbers=numbers),
        generation(policy.with_name(GENERATION)),
        lambda fault: KSR.err(f"the new policy cannot be read, the old one stays: {fault!r}\n"),
        QUICK,
    )
    look_seldom()
    return callbacks
