"""The shop of DhakaCart: a catalogue, a checkout, and orders that are never lost, doubled or oversold."""

__version__ = "0.1.0"
