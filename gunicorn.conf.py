"""What every web process shares, in `make run` and in production; addresses and numbers come from the command line."""

import gc

worker_class = "gthread"
threads = 8
timeout = 120  # large batches that overlap wait for each other
graceful_timeout = 20
keepalive = 30
control_socket_disable = True
preload_app = True


def when_ready(_server: object) -> None:
    """Load every view once, before the workers fork, so that none of them pays for it at its first request.

    What was loaded stays for good: the collector need not look at it again at each large batch.
    """
    from django.core.checks.urls import check_url_config  # noqa: PLC0415 (known only once the application is loaded)

    check_url_config(None)
    gc.collect()
    gc.freeze()
