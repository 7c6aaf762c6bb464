"""The policy changes under callbacks that Kamailio asks for by name."""

from pathlib import Path

import pytest

from clearip_proxy.process.reloading import GENERATION, Reloading, generation


class Callbacks:
    """Callbacks made from a policy."""

    def __init__(self, policy: str) -> None:
        self.policy = policy

    def ksr_request_route(self, message: object) -> int:
        """Tell the policy by its length."""
        assert message is not None
        return len(self.policy)


class Policies:
    """What is read each time; a policy of None cannot be read."""

    def __init__(self, *texts: str | None) -> None:
        self._texts = list(texts)
        self.faults: list[Exception] = []

    def make(self) -> Callbacks:
        """Read the next one."""
        text = self._texts.pop(0)
        if text is None:
            raise ValueError("cut off")
        return Callbacks(text)


def test_callbacks_stay_the_same_while_the_counter_stands() -> None:
    """Nothing is read in a call's way."""
    policies = Policies("first")

    callbacks = Reloading(policies.make, [7], policies.faults.append)

    assert [callbacks.policy, callbacks.policy] == ["first", "first"]


def test_counter_that_has_moved_on_brings_the_new_policy() -> None:
    """From the next callback on, and once."""
    policies, counter = Policies("first", "second"), [0]
    callbacks = Reloading(policies.make, counter, policies.faults.append)

    counter[0] = 1

    assert [callbacks.policy, callbacks.policy] == ["second", "second"]


def test_callback_of_each_call_is_found_at_once_and_follows_the_policy() -> None:
    """Kamailio asks for it by name; nobody need look whether it has changed but itself."""
    policies, counter = Policies("first", "the second", None), [0]
    callbacks = Reloading(policies.make, counter, policies.faults.append, ("ksr_request_route",))
    taken = []
    for counter[0] in range(3):
        taken.append(vars(callbacks)["ksr_request_route"]("a message"))

    assert taken == [len("first"), len("the second"), len("the second")]
    assert len(policies.faults) == 1


def test_policy_that_cannot_be_read_leaves_the_old_one_and_is_told_once() -> None:
    """An exception there would leave the caller unanswered."""
    policies, counter = Policies("first", None), [0]
    callbacks = Reloading(policies.make, counter, policies.faults.append)

    counter[0] = 1

    assert [callbacks.policy, callbacks.policy] == ["first", "first"]
    assert [str(fault) for fault in policies.faults] == ["cut off"]


def test_callback_that_does_not_exist_is_missing() -> None:
    """Kamailio looks for some that nobody has written."""
    policies = Policies("first")
    callbacks = Reloading(policies.make, [0], policies.faults.append)

    with pytest.raises(AttributeError):
        _ = callbacks.ksr_onsend_route


def test_change_of_the_counters_file_is_seen_without_reading_it_again(tmp_path: Path) -> None:
    """It is mapped: that is how all processes see it at once."""
    file = tmp_path / GENERATION
    file.write_bytes(bytes(8))
    counter = generation(file)
    before = counter[0]

    with file.open("r+b") as writing:
        writing.write((5).to_bytes(8, "little"))

    assert (before, counter[0]) == (0, 5)
