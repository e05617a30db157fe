"""A refusal: the one exception that the readers of a single cell raise.

Whoever reads the row turns it into a located problem.
"""


class RefusedError(Exception):
    """A cell that cannot be used: what stood there, and what to write instead.

    Attributes
    ----------
    code : str
        Stable name of the fault, without its area: ``mrd-unit``.
    found : str
        What was found, with the raw text.
    fix : str
        What the user can do about it.

    Examples
    --------
    >>> raise RefusedError("bad-date", "'10.5.2018' is no date", "Write 2018-05-10.")
    Traceback (most recent call last):
    drp.risk.refusal.RefusedError: '10.5.2018' is no date. Write 2018-05-10.
    """

    def __init__(self, code: str, found: str, fix: str) -> None:
        self.code = code
        self.found = found
        self.fix = fix
        super().__init__(f"{found}. {fix}")
