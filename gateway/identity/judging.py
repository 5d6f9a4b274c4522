"""What decides whether two records are one person: the model and the rules in a folder of profiles."""

from pathlib import Path

from gateway.identity import decide, model, rules
from gateway.identity.candidates import Judge
from gateway.identity.decide import Decision
from gateway.identity.evidence import Evidence


def judging(profiles: Path) -> tuple[Judge, str]:
    """Return what decides whether two records are one person, and the version of its model.

    Model and rules are those in the folder `identity` of the profiles, or the shipped ones where it has none. Raises
    GatewayError naming the file and what is wrong in it.
    """
    weights, book = profiles / "identity" / "model.yaml", profiles / "identity" / "rules.yaml"
    scorer = model.load(weights) if weights.exists() else model.shipped()
    chosen = rules.load(book) if book.exists() else rules.ours()

    def judge(one: Evidence, other: Evidence) -> Decision:
        return decide.decide(one, other, scorer, chosen)

    return judge, scorer.version
