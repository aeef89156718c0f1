"""Between the web server and Django: whoever sends or reads slowly holds no thread.

The event loop waits for clients; Django runs in a few threads, and only with what has arrived.
"""
