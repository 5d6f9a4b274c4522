"""Source record plus definition gives resources; pure."""
