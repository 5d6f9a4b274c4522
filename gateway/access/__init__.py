"""May this actor do this? Pure decisions."""
