"""gateway identity: who is the same person, and how the gateway comes to say so; each verb in a module of its own."""

import click

from gateway.cli.lazy import Verbs

# verb: (module, one line for the overview), as in gateway.cli.main
IDENTITY_VERBS: dict[str, tuple[str, str]] = {
    "explain": ("identity_explain", "Show why two Patients are linked, or are not."),
    "review": ("identity_review", "Decide the pairs that wait for a person: list, show, same, different, later."),
    "train": ("identity_train", "Estimate a model's weights from records, with charts."),
    "evaluate": ("identity_evaluate", "Link a population whose truth is known, and count what was right and wrong."),
}


@click.command(cls=Verbs, verbs=IDENTITY_VERBS)
def identity() -> None:
    """See who is the same person, and decide it; train the model that says how alike two records are.

    Example: gateway identity review list
    """
