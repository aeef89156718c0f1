"""A registry under load whose parts fail at random, and what has to hold then: `./kith chaos`.

The flow: `__main__` brings up a registry of its own (`registry`) whose connections go through a
proxy (`proxy`), starts the clients (`crowd`) in a process of their own, does the faults (`faults`)
of a plan made from a seed (`plan`), lets everything recover, and then compares what the clients
were promised (`journal`) with what is stored (`checks`).
"""
