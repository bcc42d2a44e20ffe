"""Who may do what over the network, and how much of it.

passwords     the auth file: names, hashed passwords, administrators
sessions      who has signed in, by the word in their cookie
people        who is asking, told from a request by the server alone
rate          how often one may ask
limits        how much one may ask for
naming        what a spec from the network may name
gate          the rules together: what everyone but the machine's own user has to pass
guarded       the lab behind the gate; the page is built over it
"""

from mtlab.access.gate import Gate
from mtlab.access.guarded import GuardedLab
from mtlab.access.people import Person

__all__ = ["Gate", "GuardedLab", "Person"]
