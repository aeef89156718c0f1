"""How the database is spoken to, and what is encrypted in it."""
