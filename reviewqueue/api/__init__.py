"""JSON in, JSON out: the door for programs."""
