"""Tables of names: which drug stands behind a label of a dispenser."""

from pathlib import Path

from drp.plates.columns import Tidy, find_tidy
from drp.plates.pages import open_source
from drp.problems import Place, Problems

_SYNONYMS = {
    "label": ("label", "d300label", "fluid", "samplename", "sampleid", "source"),
    "drug": ("drug", "drugname", "gnumber", "compound"),
}
_FIX = "The first line names the columns, for example label and drug; each label stands once."


def read_names(path: str | Path) -> dict[str, str]:
    r"""Read a table of two columns, the label in a dispenser's file and the name of the drug.

    Parameters
    ----------
    path : str or Path
        Text (CSV, TSV, ``;``) or xlsx. The columns are label (also ``D300_Label``, ``Sample Name``,
        ``Sample ID``, ``source``) and drug (also ``Gnumber``, ``compound``); others do not matter.

    Returns
    -------
    dict of str to str
        Label to drug, in the order of the file, for `names` of `read_layout`.

    Raises
    ------
    DataError
        Listing every line without label or drug, and every label with two drugs.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "names.csv"
    >>> _ = path.write_text("D300_Label,Gnumber\nstock 7,Venetoclax\nDMSO,vehicle\n")
    >>> read_names(path)
    {'stock 7': 'Venetoclax', 'DMSO': 'vehicle'}
    """
    found = Problems()
    names = scan_names(path, found)
    found.raise_errors()
    return names


def scan_names(path: str | Path, found: Problems) -> dict[str, str]:
    """Read what can be read of a table of names, and note everything that is wrong.

    Parameters
    ----------
    path : str or Path
        As in `read_names`.
    found : Problems
        Takes what is wrong, line by line.
    """
    source = open_source(path, "layout", found)
    if source is None:
        return {}
    tables = find_tidy(source, _SYNONYMS, ("label", "drug"))
    if len(tables) != 1:
        text = f"{len(tables)} tables with the columns label and drug were found, one is needed"
        found.error("layout.bad-names", Place(source.file), text, _FIX)
        return {}
    return _read_table(tables[0], source.file, found)


def _read_table(table: Tidy, file: str, found: Problems) -> dict[str, str]:
    if table.twice:
        where = Place(file, table.page.line(table.header))
        text = f"columns mean the same as others: {', '.join(table.twice)}"
        found.error("layout.duplicate-column", where, text, "Keep one of them.")
        return {}
    names: dict[str, str] = {}
    first: dict[str, str] = {}
    for line in table.rows():
        where = Place(file, table.page.line(line))
        label, drug = table.text(line, "label").strip(), table.text(line, "drug").strip()
        if not label or not drug:
            text = f"the line has no label or no drug: {label or drug!r}"
            found.error("layout.bad-names", where, text, _FIX)
        elif first.setdefault(label.lower(), drug) != drug:
            text = f"the label {label!r} is given to {first[label.lower()]!r} and to {drug!r}"
            found.error("layout.bad-names", where, text, _FIX)
        else:
            names[label] = drug
    return names
