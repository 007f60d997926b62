"""Load on a shop, and the verdict of its database afterwards."""
