"""The shop of DhakaCart: a catalogue, a checkout, and orders that are never lost, doubled or oversold."""

from importlib.metadata import version

__version__ = version("dhakacart-shop")
