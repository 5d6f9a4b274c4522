"""What this region agreed: services above the record, each its own package; none imports another."""
