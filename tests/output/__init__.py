"""Tests of the room `output`."""
