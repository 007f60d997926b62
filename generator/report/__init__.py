"""What people read about an environment: what an edit changes, what it costs."""
