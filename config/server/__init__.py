"""Between the web server and Django: whoever sends or reads slowly holds no thread.

The event loop waits for clients; Django runs in a few threads, and only with what has arrived.
Django's own ASGI handler, and asgiref's wrapper for WSGI, take in a whole body before they ask
whether it is allowed, and a server's WSGI mode gives a thread to each client, however slow. Of
granian's modes only ASGI will do: the others take a body of chunks that was cut off for a whole
one, and RSGI keeps in memory what a client does not read of a stream.
"""
