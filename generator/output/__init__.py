"""Objects → canonical YAML → a tree of files; write, drift, prune."""
