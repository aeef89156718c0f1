"""Queued work: a job is a row; messages say only that there is one."""
