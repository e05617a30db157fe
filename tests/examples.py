"""How many examples a property is tried on: fewer in `make test-quick`, all in `make test`."""

from hypothesis import settings

# Of the profiles that tests/conftest.py knows; `--hypothesis-profile=quick` chooses.
QUICK = 12


def examples(count: int) -> int:
    """Give `count`, or the profile's own number if that is less."""
    return min(count, settings.default.max_examples)
