"""An environment and `apps/` → Kubernetes objects, as plain dicts."""
