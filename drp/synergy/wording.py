"""Numbers as people read them."""

import numpy as np


def signed(value: float) -> str:
    """Write points with their sign, one decimal and a true minus.

    Parameters
    ----------
    value : float
        Points; any finite number.

    Returns
    -------
    str

    Examples
    --------
    >>> signed(14.24), signed(-3.0), signed(-0.01)
    ('+14.2', '−3.0', '0.0')
    """
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def whole(value: float) -> str:
    """Write a percentage without decimals, with a true minus.

    Parameters
    ----------
    value : float
        Per cent; any finite number.

    Returns
    -------
    str

    Examples
    --------
    >>> whole(70.6), whole(-12.2), whole(-0.2)
    ('71', '−12', '0')
    """
    return f"{int(np.round(value))}".replace("-", "−")


def dose_text(dose: float) -> str:
    """Write a dose with up to four significant digits and no exponent.

    Parameters
    ----------
    dose : float
        A finite dose.

    Returns
    -------
    str

    Examples
    --------
    >>> dose_text(9.48683298051), dose_text(10000.0), dose_text(0.3)
    ('9.487', '10000', '0.3')
    """
    return np.format_float_positional(dose, precision=4, fractional=False, trim="-")


def count_cells(count: int, n_drugs: int) -> str:
    """Count combination cells in words.

    Parameters
    ----------
    count : int
        How many.
    n_drugs : int
        Drugs in the combination, 2 or 3.

    Returns
    -------
    str

    Examples
    --------
    >>> count_cells(25, 2), count_cells(1, 3), count_cells(0, 2)
    ('25 dose pairs', '1 dose triple', 'no dose pairs')
    """
    name = "dose pair" if n_drugs == 2 else "dose triple"
    return f"{count or 'no'} {name}{'' if count == 1 else 's'}"
