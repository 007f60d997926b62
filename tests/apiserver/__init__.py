"""A real control plane from plain processes, and what it says of the committed tree."""
