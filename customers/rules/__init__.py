"""The rules by which a request changes a customer's profile, one module per part of it.

Each rule takes the values that were sent (`config.api.bodies.Submission.values`), changes the rows
of a `customers.profile.Profile`, and adds what is wrong to a list of problems. The same rules serve
creation and update: creation is an update of an empty profile.
"""
