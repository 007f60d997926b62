"""What the shop can do on one machine, beside peers in the same run."""
