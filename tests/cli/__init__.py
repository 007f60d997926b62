"""Tests of the command line, as users start it."""
