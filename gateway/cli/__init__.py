"""The verbs of the gateway command."""
