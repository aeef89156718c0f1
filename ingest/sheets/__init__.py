"""Tables of customers as spreadsheets save them: their characters, cells, columns and dates."""
