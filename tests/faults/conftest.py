from gateway.listeners import process  # noqa: F401 (coverage of child processes starts from a warm import)
