"""Sets of lesions as the rules can tell them apart: one lesion stands for its group."""

from collections.abc import Iterable
from itertools import chain, combinations

from drp.risk.rules import Rule, Value


def lesion_groups(rules: Iterable[Rule]) -> tuple[frozenset[str], ...]:
    """Give the groups of lesions that some rule asks for; no lesion is in two of them.

    Raises
    ------
    ValueError
        Two conditions share a lesion.

    Examples
    --------
    >>> from drp.risk.rules import load_systems
    >>> [sorted(group) for group in lesion_groups(load_systems()[3].rules)]
    [['BCR::ABL1']]
    """
    groups = {part.allowed for rule in rules for part in rule.when if part.fact == "genetics"}
    named = [frozenset(str(lesion) for lesion in group) for group in groups]
    if sum(map(len, named)) != len(frozenset().union(*named)):
        raise ValueError("two conditions on genetics share a lesion")
    return tuple(sorted(named, key=sorted))


def mixtures(groups: tuple[frozenset[str], ...]) -> tuple[Value, ...]:
    """Give one set of lesions for every choice of groups, the empty one first.

    Examples
    --------
    >>> [sorted(found) for found in mixtures((frozenset({"iAMP21"}),))]
    [[], ['iAMP21']]
    """
    sizes = range(len(groups) + 1)
    choices = chain.from_iterable(combinations(groups, size) for size in sizes)
    return tuple(mixture(groups, frozenset().union(*chosen)) for chosen in choices)


def mixture(groups: tuple[frozenset[str], ...], lesions: Iterable[object]) -> Value:
    """Give the set that stands for some lesions: one of each group, those in no group left out.

    Examples
    --------
    >>> mixture((frozenset({"KMT2A-r", "iAMP21"}),), ["iAMP21", "IKZF1"])
    frozenset({'KMT2A-r'})
    """
    # One lesion stands for its group: the rules cannot tell the others from it.
    return frozenset(min(group) for group in groups if not group.isdisjoint(lesions))
