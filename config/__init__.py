"""How Kith is put together: settings, actors, errors, jobs, servers."""
