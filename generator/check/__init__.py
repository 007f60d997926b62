"""Schema and policy rules over config and objects."""
