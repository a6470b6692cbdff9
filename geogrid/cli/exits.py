"""Exit codes of the command line."""

__all__ = ["BAD_INPUT", "FINDINGS", "SOUND", "STOPPED"]

SOUND, FINDINGS, BAD_INPUT, STOPPED = 0, 1, 2, 130
