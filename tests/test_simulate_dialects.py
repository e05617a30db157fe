"""A simulated run can be written in every dialect that is read, and comes back the same."""

import numpy as np
import pytest

from drp.plates import READERS, read_plate
from drp.problems import DataError
from drp.simulate.dialects import DIALECTS
from drp.simulate.run import simulate_run


def test_every_reader_has_a_dialect_and_none_is_left_over():
    assert set(DIALECTS) == set(READERS)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("envision")
    simulate_run(folder, seed=3, patients=1, reference=0)
    path = sorted((folder / "plates").glob("CTG_*.txt"))[0]
    return read_plate(path, reader="envision").set_index("well")["signal"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_run_comes_back_from_each_dialect(tmp_path, truth, dialect):
    simulate_run(tmp_path, seed=3, patients=1, reference=0, dialect=dialect)
    exports = sorted((tmp_path / "plates").glob("CTG_*"))
    assert len(exports) == 2
    reads = read_plate(exports[0])  # recognised by its content
    assert set(reads["reader"]) == {dialect}
    assert reads["read"].nunique() == 1
    np.testing.assert_array_equal(reads.set_index("well")["signal"][truth.index], truth)


def test_an_unknown_dialect_names_the_known_ones(tmp_path):
    with pytest.raises(DataError, match="gen5"):
        simulate_run(tmp_path / "run", seed=1, dialect="gen6")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_in_each_dialect(tmp_path):
    for dialect in DIALECTS:
        contents = []
        for copy in ("a", "b"):
            folder = tmp_path / dialect / copy
            simulate_run(folder, seed=1, patients=1, reference=0, dialect=dialect)
            contents.append([path.read_bytes() for path in sorted((folder / "plates").iterdir())])
        assert contents[0] == contents[1], dialect
