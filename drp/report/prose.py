"""The fixed words of a report: how to read it, methods, limits, and names of patient fields."""

from collections.abc import Mapping
from typing import Any

from drp.report.record import Assay, Fact

RESEARCH_USE = "Research use only. Not a medical device; no treatment advice."
SIGNATURES = ("Analysed by, date", "Reviewed by (consultant), date", "Board decision and date")

LIMITS = (
    "In the trial CoALL 07-03 (773 children with acute lymphoblastic leukaemia; Blood Advances "
    "2019;3:3688) there was no correlation of in-vitro and in-vivo response. Other programmes "
    "found one. This report cannot settle it.",
    "A call ranks this sample among other samples of the same assay. It is not a probability "
    "that a treatment works, and a high rank of a weak drug is still a weak drug.",
    "One sample is one moment and one compartment. Cells outside the body lack liver, immune "
    "system and most of their marrow; drugs that need these, or more time, look inactive.",
    "Plasma peaks are literature values, mostly of adults, for one schedule. Where none is "
    "verified, exposure is unknown and is said to be unknown.",
    "The risk class restates published criteria from the data given. It is not derived from "
    "this assay and decides no treatment.",
)

_HOW_TO_READ = (
    ("Viability", "Living cells in a well as % of the untreated control wells of its plate."),
    ("Curve", "Solid: this sample, over the tested doses only; shaded: its 95 % interval, dose by "
     "dose. Dots: wells; wells outside the drawn range sit on its edge. Dashed: median of the "
     "reference. Orange bar: plasma peak. Arrow at 50 %: the IC50 lies beyond the tested doses."),
    ("Call", "Sensitive: the data pass, the rank is beyond the cut, and the effect is not out "
     "of a patient's reach. Intermediate: part of this, or a strong effect "
     "within reach that is usual for the drug. Not evaluable: the data or the assay "
     "support no verdict; no number is shown, on purpose."),
    ("Probability", "How probable it is that the same call would stand there without the noise of "
     "wells, controls and reference. Low ones are printed as uncertain."),
    ("z, percentile", "Place among the reference samples; more sensitive is higher. z counts "
     "robust standard deviations from the median; the sample itself is left out."),
    ("Provisional", "The rank rests on a small reference and may move as it grows."),
    ("IC50", "Dose at which 50 % of the cells are viable. Above or below: beyond the tested "
     "doses, not extrapolated."),
    ("AUC, DSS", "AUC: mean viability over the tested log doses, 0 to 100, low is sensitive. "
     "DSS: drug sensitivity score, 0 to 50, high is sensitive."),
    ("Interval", "In brackets, 95 %. An open end means that the data do not bound it."),
    ("Excess", "Points of inhibition beyond Bliss independence of the two drugs; orange + is "
     "more, purple − is less. A framed cell lies at doses a patient can reach."),
    ("Z′", "Separation of the control wells of a plate: 1 is perfect, below 0 none."),
)  # fmt: skip

_FIELDS = {
    "immunophenotype": "immunophenotype",
    "site": "site of relapse",
    "em_sites": "extramedullary sites",
    "months_dx_to_relapse": "months from diagnosis to relapse",
    "months_end_of_therapy_to_relapse": "months from end of therapy to relapse",
    "on_therapy": "whether on therapy at relapse",
    "diagnosis_date": "date of diagnosis",
    "end_of_therapy_date": "date of end of therapy",
    "relapse_date": "date of relapse",
    "eoi_mrd": "MRD at the end of induction or block 1",
    "age_at_diagnosis_y": "age at diagnosis",
    "age_at_relapse_y": "age at relapse",
    "genetics": "genetics",
    "down_syndrome": "Down syndrome",
    "prior_hsct": "earlier transplantation",
    "relapse_number": "number of the relapse",
    "second_remission": "second remission",
    "prior_drugs": "earlier drugs",
    "cautions": "recorded cautions",
}
_SHOWN = (
    "immunophenotype", "site", "em_sites", "on_therapy", "eoi_mrd", "genetics", "down_syndrome",
    "prior_hsct", "relapse_number", "second_remission", "prior_drugs", "cautions",
)  # fmt: skip


def field_words(name: str) -> str:
    """Give the plain words for a field of patients.tsv, keeping what stands behind its name.

    >>> field_words("eoi_mrd to 1e-4"), field_words("site")
    ('MRD at the end of induction or block 1 to 1e-4', 'site of relapse')
    """
    field, _, rest = name.strip().partition(" ")
    return " ".join(filter(None, [_FIELDS.get(field, field), rest]))


def patient_facts(patient: Mapping[str, str]) -> list[Fact]:
    """List what is known of the patient, no dates and no ages among it; unknown is said.

    >>> patient_facts({"patient": "P1", "immunophenotype": "T"})[0].text
    'T'
    """
    unknown = ("", "NA")
    return [
        Fact(
            term=field_words(name).capitalize() if name != "eoi_mrd" else field_words(name),
            text="not reported" if patient.get(name, "") in unknown else patient[name],
        )
        for name in _SHOWN
    ]


def how_to_read() -> list[Fact]:
    """Give the terms of the report, each with its meaning."""
    return [Fact(term=term, text=text) for term, text in _HOW_TO_READ]


def methods(assay: Assay, normalisation: str, thresholds: Mapping[str, Any]) -> list[Fact]:
    """Describe what was done, with every threshold a verdict or call depended on."""
    hours = f"{assay.hours:g} h" if assay.hours else "hours not stated"
    described = [assay.readout, hours, assay.culture, assay.material]
    limits = "; ".join(f"{name} {_plain(value)}" for name, value in thresholds.items())
    return [
        Fact(term="Assay", text=f"{assay.name}: {', '.join(filter(None, described))}."),
        Fact(term="Normalisation", text=normalisation),
        Fact(
            term="Curves",
            text="Bounded four-parameter logistic fit to all wells of a drug; IC50 censored at "
            "the tested range; intervals at 95 %.",
        ),
        Fact(
            term="Synergy",
            text="Mean excess over Bliss independence across the dose pairs; Loewe additivity and "
            "ZIP beside it. Intervals from one joint bootstrap of well noise, controls and single "
            "agents for all models. The call rests on Bliss, which fits no curve.",
        ),
        Fact(
            term="Calls",
            text="Data, rank and exposure are judged apart and all printed; the rank is taken "
            "among reference samples of the same assay, the sample itself left out.",
        ),
        Fact(term="Thresholds used", text=limits or "none given"),
    ]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
