"""Starts and stops the embedded PostgreSQL and Valkey, and everything else that `make run` brings up."""
