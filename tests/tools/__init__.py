"""The shell tools, with stand-ins for what they call."""
