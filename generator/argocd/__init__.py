"""Rendered objects → Argo CD Applications, AppProjects and sync waves."""
