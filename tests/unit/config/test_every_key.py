"""What holds for every key of the configuration, asked of the model itself."""

import pytest

from unit.config.reading import DeclaredKey, declared_keys, faults_of

KEYS = tuple(declared_keys())
VALUES = tuple(key for key in KEYS if not key.is_part)
PARTS = tuple(key for key in KEYS if key.is_part)
TRUTH = "true or false"


def path_of(key: DeclaredKey) -> str:
    """The name of a case: the key's path."""
    return key.path


@pytest.mark.parametrize("key", VALUES, ids=path_of)
def test_example_of_a_key_is_understood(key: DeclaredKey) -> None:
    """What the reference shows is valid, but for files that this machine lacks."""
    faults = faults_of(key.written(str(key.key.example)))

    reasons = ["No such file", "stands without", "default_route is empty"]
    assert all(any(reason in fault for reason in reasons) for fault in faults), faults


@pytest.mark.parametrize("key", VALUES, ids=path_of)
def test_null_is_off_or_refused_with_what_is_allowed(key: DeclaredKey) -> None:
    """A key without value is never silently something else than null."""
    field = key.key.field

    faults = faults_of(key.written("null"))

    if field.allow_none:
        assert faults == []
        assert "null" in field.allowed
    else:
        assert faults == [f"{key.fault_path}: has no value (found null); allowed: {field.allowed}"]


@pytest.mark.parametrize("key", VALUES, ids=path_of)
def test_number_out_of_every_range_is_refused_with_the_value_and_what_is_allowed(
    key: DeclaredKey,
) -> None:
    """No key takes minus seven and a half; the message repeats it and what would do."""
    faults = faults_of(key.written("-7.5"))

    assert len(faults) == 1
    assert faults[0].startswith(f"{key.fault_path}: ")
    found = (
        "a value that is not shown" if key.path.endswith(("private_key", "key_file")) else "-7.5"
    )
    assert f"(found {found}); allowed: {key.key.field.allowed}" in faults[0]


@pytest.mark.parametrize("value", ["{a: {b: c}}", "[[1]]", '"\\0"', '"\\ud800"', ".inf"])
@pytest.mark.parametrize("key", VALUES, ids=path_of)
def test_value_of_another_kind_is_refused_at_the_key(key: DeclaredKey, value: str) -> None:
    """Mappings, lists and texts of no meaning are faults of the key they stand at."""
    faults = faults_of(key.written(value))

    assert faults
    assert all(fault.startswith(key.fault_path) for fault in faults)


@pytest.mark.parametrize(
    "key", [key for key in VALUES if key.key.field.allowed != TRUTH], ids=path_of
)
def test_truth_value_is_refused_at_a_key_of_another_kind(key: DeclaredKey) -> None:
    """Only a key that says so is true or false."""
    (fault,) = faults_of(key.written("true"))

    assert fault.startswith(key.fault_path)


@pytest.mark.parametrize("word", ["yes", "off", "'true'", "1", "null"])
@pytest.mark.parametrize(
    "key", [key for key in VALUES if key.key.field.allowed == TRUTH], ids=path_of
)
def test_word_is_refused_at_a_key_that_is_true_or_false(key: DeclaredKey, word: str) -> None:
    """What other readers of YAML take for a truth value is none here."""
    (fault,) = faults_of(key.written(word))

    assert fault.endswith(f"allowed: {TRUTH}")


@pytest.mark.parametrize("key", PARTS, ids=path_of)
def test_part_with_nothing_under_it_has_its_defaults(key: DeclaredKey) -> None:
    """Commenting out the last key of a part leaves a valid file."""
    assert faults_of(key.written("null")) == []


@pytest.mark.parametrize("key", PARTS, ids=path_of)
def test_part_that_is_no_mapping_is_refused_with_its_keys(key: DeclaredKey) -> None:
    """A value in place of a mapping is named, and so are the keys that belong there."""
    (fault,) = faults_of(key.written("5060"))

    below = [other.path for other in KEYS if other.path.rpartition(".")[0] == key.path]
    names = ", ".join(path.rpartition(".")[2] for path in below)
    assert fault == f"{key.path}: is not a mapping (found 5060); allowed: a mapping of {names}"


@pytest.mark.parametrize("key", KEYS, ids=path_of)
def test_misspelt_key_is_refused_with_the_right_spelling(key: DeclaredKey) -> None:
    """One letter too many is an unknown key, and the nearest known one is proposed."""
    above, _, name = key.path.rpartition(".")
    misspelt = key._replace(path=f"{above}.{name}x" if above else f"{name}x")

    faults = faults_of(misspelt.written("1"))

    assert f"{misspelt.fault_path}: unknown key; did you mean {name}?" in faults


@pytest.mark.parametrize("key", KEYS, ids=path_of)
def test_key_has_a_description_that_is_a_sentence(key: DeclaredKey) -> None:
    """The reference has something to say of every key."""
    assert key.key.description.endswith(".")
    assert (key.key.example is None) == key.is_part


@pytest.mark.parametrize("key", VALUES, ids=path_of)
def test_key_that_ends_in_a_unit_declares_it(key: DeclaredKey) -> None:
    """The unit in the name and the one in the reference are the same."""
    ending = {"ms": "milliseconds", "s": "seconds"}.get(key.path.rpartition("_")[2])

    assert ending is None or key.key.unit == ending
