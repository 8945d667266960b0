#!/usr/bin/env bash
# The one test command: formatting, lints, every test. On a fresh Debian it installs what it needs.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/debian.sh
. tools/debian.sh

usage() {
  cat >&2 <<'END'
usage: ./test.sh                 formatting, lints and every test
       ./test.sh --long NAME     one of the longer runs:
           owner       fifty fleets at our exchange, with an owner's hand and changing rules (about half an hour)
           markets     equity and exits on 1,000 random markets
           rounds      10,000 rounds of reading the book and trading on it, and as many triggered orders
           simulate    10,000 seeds of the fault simulation
           memory      the exchange's memory after 100,000 and after 1,000,000 orders
           freqtrade   freqtrade from PyPI on candles of 15 minutes
           rabbitmq4   the tests of bus and recorder on RabbitMQ 4.0
           mutants [CRATE...]  mutation tests of the crates that touch money; each must catch 95 % (hours)
END
  exit "$1"
}
long=''
case "$#:${1:-}:${2:-}" in
  0::) ;;
  *:--long:mutants | 2:--long:*) long=$2 ;;
  1:--help: | 1:-h:) usage 0 ;;
  *) usage 2 ;;
esac
case "$long" in
  '' | owner | markets | rounds | simulate | memory | freqtrade | rabbitmq4 | mutants) ;;
  *) usage 2 ;;
esac

missing=()
# SQLite and ring are compiled from C.
has cc || missing+=(build-essential)
[ -n "${TAPEDECK_POSTGRES_BIN:-}" ] || has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
  || missing+=(postgresql)
has rabbitmq-server || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
[ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"

install_rust "$PWD"
if ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
  rustup component add clippy rustfmt
fi

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# Recorded candles for the tests that want them; see README.md.
export TAPEDECK_DATA="${TAPEDECK_DATA:-$(cd .. && pwd)/shared/data}"
[ -d "$TAPEDECK_DATA" ] || unset TAPEDECK_DATA

target="${CARGO_TARGET_DIR:-target}"
with_servers="$target/debug/with-servers"
# A first build gains nothing from incremental state, which doubles its size.
[ -d "$target/debug" ] || export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"
free=$(df --output=avail --block-size=1M . | tail -1)
[ "$free" -ge 10000 ] || [ -d "$target/debug" ] \
  || echo "test.sh: $free MiB are free here; a first build and its servers take some 8 GB: give CARGO_TARGET_DIR a larger disk if it fails" >&2

case "$long" in
  owner)
    cargo build --package testkit --bin with-servers --locked
    cargo test --package tapedeck --test it --locked --no-run
    exec "$with_servers" cargo test --package tapedeck --test it --locked -- --ignored --nocapture fifty_owners_do_what_they_like
    ;;
  markets)
    TAPEDECK_MARKETS=1000 exec cargo test --release --package tapedeck --test it --locked -- --nocapture markets::
    ;;
  rounds)
    TAPEDECK_ROUNDS=10000 exec cargo test --release --package paper-exchange --test it --locked -- --nocapture \
      who_reads no_triggered
    ;;
  simulate) exec cargo run --release --locked --package tapedeck -- simulate --seeds 10000 ;;
  memory) exec cargo run --release --locked --package paper-exchange --example memory ;;
  freqtrade) exec cargo test --package paper-exchange --locked --test it -- --ignored --nocapture freqtrade ;;
  mutants) exec tools/mutants.sh "${@:3}" ;;
  rabbitmq4)
    TAPEDECK_RABBITMQ_BIN=$(libs/testkit/rabbitmq4.sh "${TAPEDECK_RABBITMQ4:-${XDG_CACHE_HOME:-$HOME/.cache}/tapedeck/rabbitmq4}")
    export TAPEDECK_RABBITMQ_BIN
    exec cargo test --locked -p bus -p event-logger
    ;;
esac

echo "== format"
cargo fmt --all --check
echo "== lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
echo "== tests"
cargo build --package testkit --bin with-servers --locked
cargo test --workspace --locked --no-run
# In place of this script, so that a signal to it ends the servers too.
exec "$with_servers" cargo test --workspace --locked
