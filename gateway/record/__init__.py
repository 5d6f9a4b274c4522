"""The shared health record: the one door for reads and writes."""
