"""Result tables as TSV, for spreadsheets and other programs."""

from pathlib import Path

from drp.storage import read_table, replacing

# The wells of a run, for its review pages: the same as in the batches' `viability`.
_ALREADY_THERE = ("scaled",)
_FORMULA = ("=", "+", "-", "@")


def export_tables(results: Path, folder: Path) -> list[Path]:
    """Join the Parquet tables of all batches by name and write each as `folder`/name.tsv.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay as they
    are, in full precision.

    Returns
    -------
    list of Path
        The files written, by name.
    """
    import pandas as pd

    parts: dict[str, list[Path]] = {}
    for path in sorted(results.rglob("*.parquet")):
        if path.stem not in _ALREADY_THERE:
            parts.setdefault(path.stem, []).append(path)
    written = []
    for name, paths in sorted(parts.items()):
        frames = [frame for frame in (read_table(path) for path in paths) if len(frame)]
        if not frames:
            continue
        joined = pd.concat(frames, ignore_index=True)
        texts = joined.select_dtypes(exclude="number").columns
        joined[texts] = joined[texts].map(harmless)
        with replacing(folder / f"{name}.tsv") as temporary:
            joined.to_csv(temporary, sep="\t", index=False, lineterminator="\n")
        written.append(folder / f"{name}.tsv")
    return written


def harmless(value: object) -> object:
    r"""Put an apostrophe before text that a spreadsheet would take for a formula.

    Control characters become blanks: a spreadsheet may pass over them, and a cell has one line.

    >>> harmless("=cmd()"), harmless("\t@A1"), harmless("A1")
    ("'=cmd()", "' @A1", 'A1')
    """
    if not isinstance(value, str):
        return value
    text = "".join(character if character.isprintable() else " " for character in value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
