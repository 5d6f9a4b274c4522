"""Repeatable measurements, one file each, printing one table."""
