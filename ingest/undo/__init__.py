"""Undo of a load: what the change log has of a request is put back, item by item."""
