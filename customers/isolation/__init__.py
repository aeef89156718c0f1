"""The proof that nobody sees what is another's: what `./kith manage check_isolation` runs.

A family of business accounts is made with one thing of every kind in each of them, and every call
of the URL table is made by each of them with the handles of all others. What is expected follows
from the account tree alone (`walk`); what a route needs to be called, from the API's documentation
and from the holdings (`holdings`), to which each app contributes in its module `isolation`.
"""
