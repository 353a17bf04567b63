"""What every web process shares, in `make run` and in production; addresses and numbers come from the command line."""

worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 20
keepalive = 30
control_socket_disable = True
