"""Every change of the registry, each one keyword-only function."""
