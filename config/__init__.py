"""How Kith is put together: settings, actors, errors, jobs, servers."""

from config.garbage import look_seldom

# Each program of Kith imports this first. What it loads next makes objects by the hundred thousand,
# all of which stay: looking through them took a sixth of the time until it could begin.
look_seldom()
