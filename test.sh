#!/usr/bin/env bash
# The one test command: formatting, lints, every test. On a fresh Debian it installs what it needs.
set -euo pipefail
cd "$(dirname "$0")"

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# SQLite and ring are compiled from C.
if ! command -v cc >/dev/null 2>&1; then
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq build-essential
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "test.sh: there is no cargo; install Rust 1.95 or newer (https://rustup.rs), then run this again" >&2
  exit 1
fi

export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# Recorded candles for the tests that want them; see README.md.
export TAPEDECK_DATA="${TAPEDECK_DATA:-$(cd .. && pwd)/shared/data}"
[ -d "$TAPEDECK_DATA" ] || unset TAPEDECK_DATA

echo "== format"
cargo fmt --all --check
echo "== lints"
cargo clippy --workspace --all-targets --locked -- -D warnings
echo "== tests"
cargo test --workspace --locked
