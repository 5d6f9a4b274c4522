"""Where bytes arrive: MLLP and watched folders."""
