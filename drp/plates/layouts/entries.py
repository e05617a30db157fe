"""What every reader of layouts takes and gives: options of the user, wells with their contents."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SUFFIXES = ("", "2", "3")


@dataclass(frozen=True, slots=True)
class Options:
    """What a layout leaves unsaid, as the user states it.

    Attributes
    ----------
    dose_unit : str
        Unit of the doses for which the file writes none; empty if not stated.
    roles : mapping of str to str
        Names of drugs, or words in a column of roles, to roles.
    names : mapping of str to str
        Names in the file to names of drugs, as for the labels of a dispenser.
    stocks : mapping of str to str
        Drug to the concentration of its stock with the unit, ``10 mM``.
    well_volume_ul : float
        Volume in a well before anything is dispensed, µL; NaN if not stated.
    """

    dose_unit: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    stocks: Mapping[str, str] = field(default_factory=dict)
    well_volume_ul: float = float("nan")


@dataclass(slots=True)
class Entry:
    """One well of a layout.

    Attributes
    ----------
    well : tuple of int
        Row and column from 1.
    role : str
        One of `drp.tables.ROLES`.
    raw_role : str
        The word the role was taken from, as written.
    sample : str
        Sample of the well, if the layout names it.
    locator : str
        Where the well stands in the file.
    plate : str
        Plate as the layout calls it; empty if it describes one plate only.
    drugs, doses : list
        Up to three drugs and their doses in `dose_unit`; ``""`` and NaN where there is none.
    dose_unit : str
        Unit of the doses: ``nM``, ``IU/mL`` or ``ug/mL``; empty without a dose.
    dose_value, dose_value_unit : str
        Doses as written, joined by ``|``, and their unit as written.
    addon : str
        A partner that was added to the whole arm of a plate at a dose the layout does not state;
        it stands in `drugs` too. Controls of that arm name it as well.
    failed : str
        Why the well was not filled as planned; empty if it was. Such a well is excluded.
    """

    well: tuple[int, int]
    role: str
    raw_role: str
    sample: str
    locator: str
    plate: str = ""
    drugs: list[str] = field(default_factory=lambda: [""] * len(SUFFIXES))
    doses: list[float] = field(default_factory=lambda: [float("nan")] * len(SUFFIXES))
    dose_unit: str = ""
    dose_value: str = ""
    dose_value_unit: str = ""
    addon: str = ""
    failed: str = ""
