"""Tests of the room `argocd`."""
