"""Scaffolds of new apps and environments, and edits of environment files that keep their comments."""
