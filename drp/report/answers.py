"""The five questions of page 1, answered in words from the parts of the record.

The first words of an answer (`lead`) are the answer; the text says on what it rests. No wording
here promises a response or advises a treatment.
"""

from collections.abc import Sequence

from drp.report import numerals
from drp.report.numerals import counted, listed, sentence
from drp.report.record import Answer, Combination, Drug, Mark, Plate, Risk, Verdict

NO_RISK = "Does not apply."
QUESTIONS = (
    "Is the sample usable?",
    "Which drugs stand out?",
    "Which combinations?",
    "Risk class, and why?",
    "What not to conclude",
)
_USABLE: dict[Verdict, tuple[Mark, str]] = {
    "pass": ("check", "Yes."),
    "warn": ("caution", "With caution."),
    "fail": ("cross", "No result."),
}
_NAMED = 5


def usable(
    verdict: Verdict,
    reasons: Sequence[str],
    cells: Sequence[str],
    plates: Sequence[Plate],
    not_evaluable: str,
) -> Answer:
    """Answer question 1.

    Parameters
    ----------
    verdict : {"pass", "warn", "fail"}
        The sample's, from the quality stage.
    reasons : sequence of str
        Why it is not "pass", in words.
    cells : sequence of str
        What is known of the cells, for example "91 % of the cells viable at plating".
    plates : sequence of Plate
    not_evaluable : str
        A sentence on the drugs that give no number; empty for none.
    """
    mark, lead = _USABLE[verdict]
    sentences = []
    if reasons:
        sentences.append(sentence("; ".join(reasons)))
    if verdict == "fail":
        sentences.append("No drug result is reported from this sample.")
    if cells:
        sentences.append(sentence(listed(cells)))
    sentences.extend([_plates_sentence(plates), not_evaluable])
    return Answer(
        question=QUESTIONS[0], mark=mark, lead=lead, text=" ".join(filter(None, sentences))
    )


def stand_out(drugs: Sequence[Drug], certain: float | None, cautions: str) -> Answer:
    """Answer question 2 from the drugs in their order of show.

    Parameters
    ----------
    drugs : sequence of Drug
    certain : float or None
        The probability below which a call is printed as uncertain.
    cautions : str
        Cautions recorded for the patient, such as an allergy; empty for none.
    """
    called = [drug for drug in drugs if drug.call == "sensitive"]
    sentences = [_call_sentence(drugs), _rank_sentence(drugs)]
    if unsure := [drug.drug for drug in called if drug.uncertain]:
        limit = f" (probability below {certain:g})" if certain is not None else ""
        sentences.append(f"Uncertain{limit}: {listed(unsure, _NAMED)}.")
    if unknown := [drug.drug for drug in called if not drug.exposure_known]:
        sentences.append(f"Exposure unknown, reach in patients not judged: {listed(unknown, 8)}.")
    if cautions:
        sentences.append(sentence(f"Recorded cautions: {cautions}"))
    return Answer(
        question=QUESTIONS[1],
        mark="disc" if called else "ring",
        lead=f"{listed([drug.drug for drug in called], _NAMED)}." if called else "None.",
        text=" ".join(filter(None, sentences)),
    )


def combinations(found: Sequence[Combination]) -> Answer:
    """Answer question 3 from the combinations in their order of show."""
    question = QUESTIONS[2]
    if not found:
        return Answer(
            question=question, mark="dash", lead="None tested.", text="No combination was plated."
        )
    first = found[0]
    if first.call != "effective and synergistic":
        words = "; ".join(_combination_words(item) for item in found)
        return Answer(
            question=question,
            mark="ring",
            lead="No effective synergy shown.",
            text=sentence(words),
        )
    synergistic = [item for item in found if item.call == first.call]
    others = [_combination_words(item) for item in found if item.call != first.call]
    words = "; ".join([*(_combination_words(item) for item in synergistic[1:]), *others])
    return Answer(
        question=question,
        mark="plus",
        lead=f"{first.combination}: {first.call}{', uncertain' if first.uncertain else ''}",
        text=f"({_excess_words(first)}). {sentence(words)}".strip(),
    )


def no_result() -> list[Answer]:
    """Answer questions 2 and 3 for a failed sample."""
    return [
        Answer(question=question, mark="dash", lead="No result.", text="The sample failed.")
        for question in QUESTIONS[1:3]
    ]


def risk(classes: Sequence[Risk], lead: str) -> Answer:
    """Answer question 4; the classes themselves stand in their own table.

    Parameters
    ----------
    classes : sequence of Risk
        One per system.
    lead : str
        From `risk_lead`.
    """
    if not classes:
        return Answer(
            question=QUESTIONS[3],
            mark="dash",
            lead=lead,
            text="The relapse data of this patient were not given. Unknown is not low.",
        )
    pending = [item for item in classes if item.status == "pending"]
    needs = sorted({need for item in pending for need in item.needs})
    sentences = []
    if needs:
        sentences.append(f"To settle it: {listed(needs)}.")
    if not _agree(classes):
        sentences.append("The systems use different cuts; each is shown with its rule.")
    sentences.append("Not derived from this assay, and not used to rank drugs.")
    return Answer(
        question=QUESTIONS[3],
        mark="caution" if pending else "triangle",
        lead=lead,
        text=" ".join(sentences),
    )


def risk_does_not_apply() -> Answer:
    """Answer question 4 where the laboratory says that the systems are not for its patients."""
    return Answer(
        question=QUESTIONS[3],
        mark="dash",
        lead=NO_RISK,
        text="The systems classify relapses of childhood acute lymphoblastic leukaemia; these "
        "samples are of another kind.",
    )


def risk_lead(classes: Sequence[Risk]) -> str:
    """Sum up the classes in the first words of the answer, also for the index.

    Examples
    --------
    >>> risk_lead([])
    'Not known.'
    """
    if not classes:
        return "Not known."
    pending = [item.system for item in classes if item.status == "pending"]
    definite = [item for item in classes if item.status == "definite"]
    if not definite:
        where = (
            f"in all {len(classes)} systems" if len(pending) == len(classes) else listed(pending)
        )
        return f"Pending {where}." if pending else "Not classifiable in any system."
    if len(definite) == len(classes) and _agree(definite) and definite[0].tier:
        return f"{definite[0].tier.capitalize()} risk in all {len(classes)} systems."
    shown = ", ".join(f"{item.system} {item.shown}" for item in definite)
    tiers = {item.tier for item in definite}
    disagree = "The systems disagree: " if {"low", "high"} <= tiers else ""
    return f"{disagree}{shown}{'; pending: ' if pending else ''}{listed(pending)}."


def not_to_conclude(failed: bool, hours: float | None, culture: str) -> Answer:
    """Answer question 5: what the reader must not take from this report."""
    question = QUESTIONS[4]
    if failed:
        return Answer(
            question=question,
            mark="caution",
            lead="Nothing about any drug.",
            text="A failed sample says neither that the cells are sensitive nor that they are "
            "resistant. Ask whether a new sample can be taken.",
        )
    time = f" for {hours:g} h" if hours else ""
    where = f", {culture}" if culture and culture != "not stated" else ""
    return Answer(
        question=question,
        mark="caution",
        lead="Do not read “not sensitive” as “will not work”, or “sensitive” as a response.",
        text=f"Cells were tested outside the body{time}{where}: drugs that need longer, the "
        "liver, or immune cells look inactive. In 773 children the response of cells in the "
        "laboratory did not go with the response of the patient (see Limits).",
    )


def _agree(classes: Sequence[Risk]) -> bool:
    return len({item.tier for item in classes if item.status == "definite"}) <= 1


def _plates_sentence(plates: Sequence[Plate]) -> str:
    if not plates:
        return "No plate was read."
    tally = [
        f"{sum(plate.verdict == verdict for plate in plates)} {word}"
        for verdict, word in (("pass", "pass"), ("warn", "with a warning"), ("fail", "fail"))
        if any(plate.verdict == verdict for plate in plates)
    ]
    z_primes = [
        numerals.significant(plate.robust_z_prime, finest=0.01)
        for plate in plates
        if plate.robust_z_prime is not None
    ]
    figures = f" (robust Z′ {listed(z_primes, 6)})" if z_primes else ""
    wells = sum(plate.n_wells for plate in plates)
    removed = sum(len(plate.removed) for plate in plates)
    return (
        f"{counted(len(plates), 'plate').capitalize()}: {listed(tally)}{figures}. "
        f"{removed} of {counted(wells, 'well')} removed."
    )


def _call_sentence(drugs: Sequence[Drug]) -> str:
    counts = {
        call: sum(drug.call == call for drug in drugs)
        for call in ("sensitive", "intermediate", "not sensitive", "not evaluable")
    }
    words = listed([f"{number} {call}" for call, number in counts.items()])
    return f"Of {counted(len(drugs), 'drug')}, {words}."


def _rank_sentence(drugs: Sequence[Drug]) -> str:
    sizes = [drug.rank.n_reference for drug in drugs if drug.rank.status != "none"]
    if not sizes:
        return "No reference samples to compare with: no drug can be called sensitive."
    low, high = min(sizes), max(sizes)
    number = f"{high}" if low == high else f"{low} to {high}"
    words = f"Ex vivo sensitivity relative to {number} reference samples of the same assay."
    if any(drug.rank.status == "provisional" for drug in drugs):
        words += " Ranks are provisional: the reference is small."
    return words


def _combination_words(item: Combination) -> str:
    if not item.assessable or item.bliss.value is None:
        return f"{item.combination}: {item.call}"
    return f"{item.combination}: {item.call} ({numerals.value(item.bliss, 'signed')}, " + (
        f"{numerals.interval(item.bliss, 'signed')})"
    )


def _excess_words(item: Combination) -> str:
    return (
        f"{numerals.value(item.bliss, 'signed')} points over Bliss independence, "
        f"95 % interval {numerals.interval(item.bliss, 'signed')}"
    )
