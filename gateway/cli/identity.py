"""gateway identity: who is the same person, and how the gateway comes to say so; each verb in a module of its own."""

import click

from gateway.cli.lazy import Verbs

# verb: (module, one line for the overview), as in gateway.cli.main
IDENTITY_VERBS: dict[str, tuple[str, str]] = {
    "train": ("identity_train", "Estimate a model's weights from records, with charts."),
}


@click.command(cls=Verbs, verbs=IDENTITY_VERBS)
def identity() -> None:
    """Train the model that says how alike two records are.

    Example: gateway identity train records.csv --model model.yaml
    """
