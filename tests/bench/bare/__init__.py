"""The other side of the bench: the least that Django and its REST framework can do for the same rows."""
