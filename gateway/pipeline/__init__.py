"""The straight line from stored bytes to the record."""
