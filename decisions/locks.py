"""The first keys of this house's advisory locks; the second key says on what (a chain, a person, a queue)."""

CHAIN = 7001  # the last entry of a chain
FEED = 7002  # the numbers of labels
DATA_SETS = 7003  # freezing a queue's data set
POLICIES = 7004  # a queue's policies and versions
ROLL_UP = 7005  # counting a queue's figures
PERSON = 7006  # what somebody holds
ALERTS = 7007  # a queue's alerts: one is open of a kind and key
FRAMES = 7008  # closing a queue's frames: who brings items in shares it
RIGHTS = 7009  # the rights of a queue, or of the site (0)
SHADOWS = 7021  # the models in shadow on a queue
IMPORTS = 7010  # bringing an earlier tool's history into a queue
EVIDENCE = 7011  # the ids of words from outside, so that they are committed in their order
TRAINING = 7012  # a queue's training runs: one is open
