"""Names, dates of birth and record numbers: what must not be in a sheet, and how to notice it.

A report leaves the laboratory, and its ids stand in file names, logs and paths. They must be
pseudonyms. What is looked for here are the usual slips; nobody can recognise every name.
"""

import re

_COLUMN = re.compile(
    r"^(.*_)?(surname|forename|first_?name|last_?name|full_?name|patient_?name|name|dob|"
    r"date_?of_?birth|birth_?date|birthday|mrn|record_?number|hospital_?number|address|phone)$"
)
_YEAR, _MONTH, _DAY = r"(?:19|20)\d{2}", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?:{_YEAR}([-._]?){_MONTH}\1{_DAY}|{_DAY}([-._]?){_MONTH}\2{_YEAR})(?!\d)"
)
_RECORD = re.compile(r"(?:mrn|uhid|nhs|ssn|patient[-_.]?no|rec(?:ord)?[-_.]?no)[-_.]?\d+", re.I)
_NAME = re.compile(r"[A-Z][a-z]{2,}(?:[._-][A-Z][a-z]{2,})+")
_TEXT = re.compile(
    r"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born|geb\.|mrn|uhid|record (?:no|number)|"
    r"surname|first name|last name)\b",
    re.I,
)


def personal_column(name: str) -> bool:
    """Say whether a column would carry a person's identity.

    Examples
    --------
    >>> personal_column("Date_of_birth"), personal_column("age_at_relapse_y")
    (True, False)
    """
    return _COLUMN.match(name.lower()) is not None


def personal_id(text: str) -> str:
    """Say what in an id looks like a person's identity; empty if nothing does.

    Parameters
    ----------
    text : str
        Id of a patient or a sample.

    Examples
    --------
    >>> personal_id("2014-05-03"), personal_id("MRN0012345"), personal_id("Vorname_Nachname")
    ('a date, perhaps of birth', 'a record number', 'a name')
    >>> personal_id("16PB0066"), personal_id("BT-40_V1"), personal_id("P08-S2")
    ('', '', '')
    """
    if _RECORD.search(text):
        return "a record number"
    if _DATE.search(text):
        return "a date, perhaps of birth"
    return "a name" if _NAME.fullmatch(text) else ""


def personal_text(text: str) -> str:
    """Give the word of a remark that announces a person's identity; empty if there is none.

    Examples
    --------
    >>> personal_text("DOB 3 May 2014"), personal_text("clotted, washed twice")
    ('DOB', '')
    """
    found = _TEXT.search(text)
    return found.group(0) if found else ""
