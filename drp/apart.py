"""Computing a batch at once, or, if that fails, its samples one by one.

A fault of drp that one sample's values bring out must not cost the other patients of its batch
their reports.
"""

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from drp.storage import join_tables

if TYPE_CHECKING:
    import pandas as pd

# Memory and disk are nobody's values: the job fails, and on a cluster gets more memory.
NOT_OF_ONE = (MemoryError, OSError)

Name = TypeVar("Name", bound=str)
Fault = dict[str, str]


def compute_apart(
    table: "pd.DataFrame",
    compute: "Callable[[pd.DataFrame], dict[Name, pd.DataFrame]]",
    stage: str,
) -> "tuple[dict[Name, pd.DataFrame], list[Fault]]":
    """Compute the tables of a batch; if that fails, of each sample by itself.

    Parameters
    ----------
    table : DataFrame
        With a column sample. Rows without one (controls) go with every sample.
    compute : callable
        Gives tables by name. It must give a sample the same rows alone and in company.
    stage : str
        Its name, for the faults.

    Returns
    -------
    tables : dict of DataFrame
        Without the samples that fail also by themselves.
    faults : list of dict
        sample, stage and error of each that failed. What happened goes to the error stream.

    Raises
    ------
    MemoryError, OSError
        As they come: they are no fault of one sample.
    Exception
        What computing a table without rows raises: then no sample can be computed.

    Examples
    --------
    >>> import pandas as pd
    >>> wells = pd.DataFrame({"sample": ["S1", "S2"], "dose": [1.0, 10.0]})
    >>> compute_apart(wells, lambda part: {"top": part.nlargest(1, "dose")}, "curves")[1]
    []
    """
    try:
        return compute(table), []
    except NOT_OF_ONE:
        raise
    except Exception:  # noqa: BLE001 (the other samples must not wait for one)
        traceback.print_exc()
    parts, faults = [compute(table.iloc[:0])], []
    for sample in sorted(set(table["sample"]) - {""}):
        try:
            parts.append(compute(table[table["sample"].isin([sample, ""])]))
        except NOT_OF_ONE:
            raise
        except Exception as fault:  # noqa: BLE001 (the patient's page says so)
            traceback.print_exc()
            faults.append({"sample": sample, "stage": stage, "error": _words(fault)})
    return {name: join_tables(part[name] for part in parts) for name in parts[0]}, faults


def _words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
