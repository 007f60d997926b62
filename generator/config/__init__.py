"""What an environment may say: pydantic models, loaded with file, line and column for every value."""
