"""What the three dialects share: views, bodies, errors, pages, and who may call what."""
