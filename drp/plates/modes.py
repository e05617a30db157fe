"""What was measured, from the words that stand for it: ``lum``, ``fluo``, ``abs``, ``count``."""

_MODES = {
    **dict.fromkeys(("lum", "luminescence", "rlu", "cps", "ctg"), "lum"),
    **dict.fromkeys(("fluo", "fluorescence", "rfu", "fi"), "fluo"),
    **dict.fromkeys(("abs", "absorbance", "od"), "abs"),
    **dict.fromkeys(("count", "counts", "cells", "cell count", "cell counts", "nuclei"), "count"),
}


def mode_of(word: str) -> str:
    """Give the mode that a unit or a label of a table names; empty if it names none.

    Parameters
    ----------
    word : str
        Such as ``RLU``, ``OD``, ``Cell count``; case, blanks and underscores around do not matter.

    Examples
    --------
    >>> mode_of("RLU"), mode_of("Cell_Count"), mode_of("signal")
    ('lum', 'count', '')
    """
    return _MODES.get(" ".join(word.replace("_", " ").lower().split()), "")
