import pytest

from drp.risk.genetics import known_lesions, read_genetics
from drp.risk.refusal import RefusedError


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("BCR::ABL1", ["BCR-ABL1", "BCR/ABL", "bcr::abl1", "t(9;22)", "t(9;22)(q34;q11.2)", "Ph+"]),
        ("KMT2A-r", ["KMT2A", "MLL", "KMT2A/MLL", "MLL-AF4", "t(4;11)(q21;q23)", "KMT2A::AFF1"]),
        ("TCF3::HLF", ["TCF3-HLF", "t(17;19)"]),
        ("TCF3::PBX1", ["E2A-PBX1", "t(1;19)(q23;p13.3)"]),
        ("ABL-class", ["NUP214-ABL1", "EBF1::PDGFRB", "ABL class"]),
        ("modal<40", ["hypodiploid < 40", "modal=39", "modal number 24", "39 chromosomes"]),
        ("modal>=40", ["modal=40", "hypodiploid 44", "modal: 46"]),
        ("TP53del", ["TP53 deletion", "del(TP53)", "TP53del"]),
        ("TP53mut", ["TP53 mutation", "TP53-mut"]),
        ("IKZF1", ["IKZF1", "IKZF1del", "IKZF1 deletion", "IKZF1 mut"]),
        ("ETV6::RUNX1", ["t(12;21)", "TEL-AML1"]),
    ],
)
def test_spellings_of_laboratories(name, spellings):
    assert {spelling: read_genetics(spelling) for spelling in spellings} == dict.fromkeys(
        spellings, frozenset({name})
    )


def test_every_name_reads_as_itself():
    assert {name: read_genetics(name) for name in known_lesions()} == {
        name: frozenset({name}) for name in known_lesions()
    }


def test_a_semicolon_in_brackets_does_not_separate():
    assert read_genetics("t(9;22)(q34;q11) ; TP53del;") == {"BCR::ABL1", "TP53del"}


def test_none_is_an_empty_set():
    assert read_genetics("none") == read_genetics("None") == frozenset()


@pytest.mark.parametrize(
    "negative", ["Ph-", "Ph -", "BCR-ABL1-", "BCR::ABL1 negative", "no KMT2A-r", "TP53 wild type"]
)
def test_a_negative_finding_is_never_read_as_the_lesion(negative):
    with pytest.raises(RefusedError):
        read_genetics(negative)


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("BCR-ALB1", "unknown-lesion", "BCR::ABL1"),
        ("KTM2A", "unknown-lesion", "KMT2A-r"),
        ("IAMP12", "unknown-lesion", "iAMP21"),
        ("TP53", "unclear-lesion", "TP53mut"),
        ("hypodiploid", "unclear-lesion", "modal=39"),
        ("Ph-like", "unclear-lesion", "ABL-class"),
        ("modal=400", "modal-range", "modal=39"),
        ("none; TP53del", "genetics-none", "none alone"),
        (";", "genetics-none", "none alone"),
        ("hypodiploid 36-39", "unknown-lesion", "modal<40"),
    ],
)
def test_what_is_not_known_is_refused_with_the_nearest(text, code, named):
    with pytest.raises(RefusedError) as refused:
        read_genetics(text)
    assert refused.value.code == code
    assert named in refused.value.fix
