"""Files of customers: how they are stored as they arrive, and loaded by processes side by side."""
