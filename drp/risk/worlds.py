"""All possible worlds: what the rules say of a patient of whom not everything is known.

The facts a system asks for span a cube with one cell per fully known world. Each cell holds the
first rule that fits. A patient is a block of that cube, one value thick along every fact that is
known; the classes found in the block are the possible ones, and the facts along which the class
changes are those, and only those, that must be known to settle it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drp.risk.lesion_sets import lesion_groups, mixture, mixtures
from drp.risk.rules import DERIVED, DOMAINS, NOT_CLASSIFIABLE, Condition, Rule, System, Value

# The values each fact can still take; genetics is one set of lesions, or empty if not reported.
Known = Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What one system says of one patient. The same question gives the same object again.

    Attributes
    ----------
    possible : tuple of str
        The classes still possible, sorted; ``not_classifiable`` may be one of them.
    rules : tuple of Rule
        The rules that can fire, in the order of the table.
    needs : tuple of str
        The facts that must be known to settle the class, empty if it is settled: each of them is
        needed in some world, and together they are always enough.
    provisos : tuple of str
        What the verdict takes as absent because it was not reported.
    """

    possible: tuple[str, ...]
    rules: tuple[Rule, ...]
    needs: tuple[str, ...]
    provisos: tuple[str, ...]


class Cube:
    """Every fully known world of one system, and the rule that fires in it.

    Parameters
    ----------
    system : System
        The decision table.
    switches : mapping, optional
        Options of contested readings, by name.

    Raises
    ------
    ValueError
        In some world no rule fires, or two genetic conditions share a lesion.

    Examples
    --------
    >>> from drp.risk.rules import load_systems
    >>> cube = Cube(load_systems()[0])
    >>> cube.judge({"relapse_number": ("first",), "prior_hsct": ("no",),
    ...             "immunophenotype": ("T",)}).possible
    ('High',)
    """

    def __init__(self, system: System, switches: Mapping[str, str] | None = None) -> None:
        self.rules = system.rules_under(switches or {})
        named = {fact for rule in self.rules for part in rule.when for fact in inputs_of(part)}
        self.facts = tuple(fact for fact in DOMAINS if fact in named)
        self._groups = lesion_groups(self.rules)
        self.values = {fact: DOMAINS[fact] or mixtures(self._groups) for fact in self.facts}
        shape = [len(self.values[fact]) for fact in self.facts]
        self._fired: NDArray[np.intp] = np.full(shape, -1, dtype=np.intp)
        for index in reversed(range(len(self.rules))):
            self._fired[self._where(self.rules[index])] = index
        if (self._fired < 0).any():
            raise ValueError(f"{system.name}: no rule fires in some world")
        names = sorted({rule.risk_class for rule in self.rules})
        codes = [names.index(rule.risk_class) for rule in self.rules]
        self._classes = np.array(codes, dtype=np.intp)[self._fired]
        self._cuts = {fact: _cuts(fact, self.rules) for fact in self.facts}
        self._verdicts: dict[tuple[tuple[int, int], ...], Verdict] = {}
        self._asked: dict[tuple[tuple[Value, ...], ...], Verdict] = {}
        self._spans: dict[tuple[str, tuple[Value, ...]], tuple[int, int]] = {}

    def judge(self, known: Known) -> Verdict:
        """Judge a patient.

        Parameters
        ----------
        known : mapping
            For each fact the values it can still take; a fact that is left out can take any.
            ``genetics`` is one set of the lesions found, or an empty tuple if not reported; the
            values of any other fact must be neighbours in `DOMAINS`.

        Returns
        -------
        Verdict
            The possible classes, the rules behind them and what would settle the class.

        Raises
        ------
        ValueError
            A fact has a value it cannot take, or a gap between its values.
        """
        asked = tuple([known.get(fact, ()) for fact in self.facts])
        if asked not in self._asked:
            self._asked[asked] = self._judged(asked)
        return self._asked[asked]

    def cuts(self, fact: str) -> tuple[Decimal, ...]:
        """Give the cuts on a fact that some rule in force uses.

        Parameters
        ----------
        fact : str
            One of `DOMAINS`.

        Returns
        -------
        tuple of decimal.Decimal
            The cuts, ascending; empty for a fact that is no number.

        Examples
        --------
        >>> from drp.risk.rules import load_systems
        >>> Cube(load_systems()[0]).cuts("eoi_mrd")
        (Decimal('0.001'),)
        """
        return self._cuts.get(fact, ())

    def _judged(self, asked: tuple[tuple[Value, ...], ...]) -> Verdict:
        block = tuple(map(self._span, self.facts, asked))
        if block not in self._verdicts:
            self._verdicts[block] = self._judge([slice(*span) for span in block])
        return self._verdicts[block]

    def _judge(self, block: list[slice]) -> Verdict:
        fired = self._rules_in(block)
        unheard = [rule.proviso for rule in fired if rule.proviso and self._is_open(block)]
        if unheard:
            # The first value of the axis is the world in which there is no such lesion.
            block[self.facts.index("genetics")] = slice(0, 1)
            fired = self._rules_in(block)
        possible = tuple(sorted({rule.risk_class for rule in fired}))
        needs = self._needs(self._classes[tuple(block)]) if len(possible) > 1 else ()
        return Verdict(possible, fired, needs, tuple(unheard))

    def _rules_in(self, block: list[slice]) -> tuple[Rule, ...]:
        counts = np.bincount(self._fired[tuple(block)].ravel())
        return tuple(self.rules[index] for index in np.flatnonzero(counts))

    def _needs(self, classes: NDArray[np.intp]) -> tuple[str, ...]:
        return tuple(
            fact
            for axis, fact in enumerate(self.facts)
            if classes.shape[axis] > 1
            and (classes != classes[(slice(None),) * axis + (slice(0, 1),)]).any()
        )

    def _is_open(self, block: list[slice]) -> bool:
        span = block[self.facts.index("genetics")]
        return bool(span.stop - span.start > 1)

    def _span(self, fact: str, values: tuple[Value, ...]) -> tuple[int, int]:
        if (fact, values) not in self._spans:
            self._spans[fact, values] = self._find_span(fact, values)
        return self._spans[fact, values]

    def _find_span(self, fact: str, values: tuple[Value, ...]) -> tuple[int, int]:
        domain = self.values[fact]
        if not values:
            return 0, len(domain)
        if fact == "genetics":
            values = tuple(
                {mixture(self._groups, value) for value in values if isinstance(value, frozenset)}
            )
        places = [domain.index(value) for value in values]
        first, last = min(places), max(places)
        if last - first != len(places) - 1:
            between = f"{domain[first]} and {domain[last]}"
            raise ValueError(f"{fact}: a value between {between} is left out")
        return first, last + 1

    def _where(self, rule: Rule) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = np.ones(self._fired.shape, dtype=bool)
        for condition in rule.when:
            mask &= self._where_holds(condition)
        return mask

    def _where_holds(self, condition: Condition) -> NDArray[np.bool_]:
        asked = inputs_of(condition)
        shape = [len(self.values[fact]) if fact in asked else 1 for fact in self.facts]
        worlds = product(*(self.values[fact] for fact in asked))
        return np.array([holds(condition, world) for world in worlds], dtype=bool).reshape(shape)


def status_of(verdict: Verdict) -> str:
    """Say how sure a verdict is.

    Examples
    --------
    >>> status_of(Verdict(("High", "Low"), (), ("eoi_mrd",), ()))
    'pending'
    """
    if verdict.possible == (NOT_CLASSIFIABLE,):
        return NOT_CLASSIFIABLE
    return "definite" if len(verdict.possible) == 1 else "pending"


def inputs_of(condition: Condition) -> tuple[str, ...]:
    """Give the facts a condition rests on, in the order of `DOMAINS`.

    Examples
    --------
    >>> inputs_of(Condition("cog_timing", frozenset({"late"})))
    ('site', 'months_since_diagnosis')
    """
    return DERIVED[condition.fact][0] if condition.fact in DERIVED else (condition.fact,)


def holds(condition: Condition, values: tuple[Any, ...]) -> bool:
    """Say whether a condition holds in a world.

    Parameters
    ----------
    condition : Condition
        The condition.
    values : tuple
        The known values of the facts it rests on, in the order of `inputs_of`.

    Returns
    -------
    bool
        True if it holds.

    Examples
    --------
    >>> from decimal import Decimal
    >>> holds(Condition("cog_timing", frozenset({"late"})), ("combined", Decimal(36)))
    True
    """
    if condition.fact in DERIVED:
        return condition.holds(DERIVED[condition.fact][1](*values))
    return condition.holds(values[0])


def certain(conditions: Iterable[Condition], known: Known) -> bool:
    """Say whether conditions hold in every world that is still possible.

    Parameters
    ----------
    conditions : iterable of Condition
        The conditions, all of which must hold.
    known : mapping
        As for `Cube.judge`.

    Returns
    -------
    bool
        False as soon as one world is possible in which one of them does not hold.

    Examples
    --------
    >>> t_lineage = [Condition("immunophenotype", frozenset({"T"}))]
    >>> certain(t_lineage, {"immunophenotype": ("T",)}), certain(t_lineage, {})
    (True, False)
    """
    for condition in conditions:
        choices = [known.get(fact) or DOMAINS[fact] for fact in inputs_of(condition)]
        if not _always(condition, tuple(choices)):
            return False
    return True


@lru_cache(maxsize=65536)
def _always(condition: Condition, choices: tuple[tuple[Value, ...], ...]) -> bool:
    return all(choices) and all(holds(condition, world) for world in product(*choices))


def _cuts(fact: str, rules: Iterable[Rule]) -> tuple[Decimal, ...]:
    wanted = [part for rule in rules for part in rule.when if part.fact == fact]
    values = [value for value in DOMAINS[fact] if isinstance(value, Decimal)]
    return tuple(
        here
        for below, here in pairwise(values)
        if any(part.holds(below) != part.holds(here) for part in wanted)
    )
