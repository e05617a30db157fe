"""What a writer writes, a reader reads: and what a damaged file holds is never moved."""

import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drp.plates import scan_plate
from drp.plates.writers import write_envision, write_labelled_grid, write_tidy
from drp.wellnames import well_name
from tests.examples import examples

QUICK = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
NUMBERS = st.one_of(
    st.integers(0, 10**8).map(float),
    st.floats(1e-6, 1e9, allow_nan=False).filter(lambda number: number >= 1e-4),
    st.just(math.nan),
)


def signals(least=1):
    shapes = st.tuples(st.integers(1, 32), st.integers(least, 48)).filter(
        lambda shape: shape[0] * shape[1] <= 400
    )
    return hnp.arrays(float, shapes, elements=NUMBERS, fill=NUMBERS).filter(
        lambda signal: np.isfinite(signal).any()
    )


def _expected(signal):
    return {
        well_name(row + 1, column + 1): value
        for row, values in enumerate(signal.tolist())
        for column, value in enumerate(values)
    }


def _assert_same(path, signal):
    reads, problems = scan_plate(path)
    assert [problem for problem in problems if problem.severity == "error"] == []
    expected = _expected(signal)
    assert reads["well"].tolist() == list(expected)
    np.testing.assert_array_equal(reads["signal"], list(expected.values()))
    missing = np.isnan(list(expected.values()))
    assert reads["status"].tolist() == np.where(missing, "missing", "ok").tolist()


@QUICK
@given(
    signals(),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.sampled_from([None, "SIMULATED DATA", "drug A, 5 nM".replace(",", " "), "A 1 2"]),
)
def test_envision_round_trip(tmp_path, signal, separator, line_ending, last, comment):
    write_envision(
        tmp_path / "p.csv",
        signal,
        separator=separator,
        line_ending=line_ending,
        information_last=last,
        comment=comment,
    )
    _assert_same(tmp_path / "p.csv", signal)


@QUICK
@given(
    signals(),
    st.sampled_from([(";", "."), (",", "."), ("\t", "."), (";", ","), ("\t", ",")]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from(["", "RLU", "<>"]),
)
def test_plain_grid_round_trip(tmp_path, signal, locale, line_ending, corner):
    separator, decimal = locale
    write_labelled_grid(
        tmp_path / "p.txt",
        signal,
        separator=separator,
        decimal=decimal,
        line_ending=line_ending,
        corner=corner,
    )
    reads, problems = scan_plate(tmp_path / "p.txt")
    if "plate.ambiguous-number" in {problem.code for problem in problems}:
        assert decimal == ","  # every comma could be a thousands separator: refused, not guessed
        assert len(reads) == 0
    else:
        _assert_same(tmp_path / "p.txt", signal)


@QUICK
@given(signals(), st.sampled_from([(";", ","), (",", "."), ("\t", ".")]))
def test_tidy_round_trip(tmp_path, signal, locale):
    write_tidy(tmp_path / "p.csv", {"P1": signal}, separator=locale[0], decimal=locale[1])
    reads, problems = scan_plate(tmp_path / "p.csv")
    if "plate.ambiguous-number" not in {problem.code for problem in problems}:
        _assert_same(tmp_path / "p.csv", signal)
        assert set(reads["plate"]) == {"P1"}


@pytest.mark.parametrize("signal", [[], [[]], [[1.0], [1.0, 2.0]], [[1.0] * 49], [[1.0]] * 33])
def test_shapes_that_are_no_plate(tmp_path, signal):
    for write in (write_envision, write_labelled_grid):
        with pytest.raises(ValueError, match="1 to 32 rows"):
            write(tmp_path / "p.csv", signal)
    assert list(tmp_path.iterdir()) == []


def test_text_that_would_break_the_file_is_refused(tmp_path):
    for text in ("a;b", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="must hold neither"):
            write_envision(tmp_path / "p.csv", [[1.0]], comment=text)


def test_the_same_plate_gives_the_same_bytes(tmp_path):
    signal = np.arange(384.0).reshape(16, 24)
    for name in ("a.csv", "b.csv"):
        write_envision(tmp_path / name, signal, comment="SIMULATED DATA")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def _mutate(lines, chance):
    """Damage a file in its structure, not inside a value."""
    lines = list(lines)
    at = chance.randrange(len(lines))
    kind = chance.choice(["drop", "double", "swap", "cut", "blank", "separator", "field", "label"])
    if kind == "drop":
        del lines[at]
    elif kind == "double":
        lines.insert(chance.randrange(len(lines)), lines[at])
    elif kind == "swap":
        other = chance.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "cut":
        return [*lines[:at], lines[at][: chance.randrange(len(lines[at]) + 1)]]
    elif kind == "blank":
        lines.insert(at, "")
    elif kind == "separator":
        lines[at] = lines[at].replace(";", chance.choice([",", "\t", ";;"]))
    elif kind == "field":
        fields = lines[at].split(";")
        del fields[chance.randrange(len(fields))]
        lines[at] = ";".join(fields)
    elif kind == "label":
        lines[at] = chance.choice(["", "C", "Q", "7", "Σ"]) + lines[at][1:]
    return [*lines, ""]


@pytest.mark.slow
def test_damage_never_moves_a_value(tmp_path):
    """Each value names its well: whatever happens, a value taken must stand in its own well."""
    signal = np.add.outer(np.arange(1, 9) * 1000.0, np.arange(1, 13)) + 500_000
    chance = random.Random(20)
    outcomes = {"refused": 0, "read": 0}
    for writer in (write_envision, write_labelled_grid):
        options = {"separator": ";", "line_ending": "\n"}
        writer(tmp_path / "whole.csv", signal, **options)
        lines = (tmp_path / "whole.csv").read_text().splitlines()
        for _ in range(50):
            (tmp_path / "p.csv").write_text("\n".join(_mutate(lines, chance)))
            reads, problems = scan_plate(tmp_path / "p.csv")
            if any(problem.severity == "error" for problem in problems):
                outcomes["refused"] += 1
                continue
            outcomes["read"] += 1
            for row in reads[reads["status"] == "ok"].itertuples():
                assert row.signal == 500_000 + row.row * 1000 + row.column, problems
    assert min(outcomes.values()) > 10
