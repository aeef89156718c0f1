"""Commands of the textbook project."""
