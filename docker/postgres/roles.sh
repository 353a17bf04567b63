#!/bin/sh
# Runs once, when the database's volume is empty: the owner role migrates, the application's role runs.
set -eu
export SECRETS="${SECRETS:-/run/secrets}"
psql --set=ON_ERROR_STOP=1 --quiet --username="$POSTGRES_USER" --dbname=postgres <<'SQL'
\set owner `cat "$SECRETS/owner"`
\set app `cat "$SECRETS/app"`
SET log_statement = 'none';
CREATE ROLE rq_owner LOGIN PASSWORD :'owner';
CREATE ROLE rq_app LOGIN PASSWORD :'app';
ALTER ROLE rq_app SET statement_timeout = '60s';
ALTER ROLE rq_app SET lock_timeout = '10s';
ALTER ROLE rq_app SET idle_in_transaction_session_timeout = '60s';
CREATE DATABASE reviewqueue OWNER rq_owner;
SQL
