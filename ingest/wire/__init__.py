"""What `/v2/data` reads and answers."""
