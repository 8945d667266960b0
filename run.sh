#!/usr/bin/env bash
# Builds Tapedeck and starts it. On a fresh Debian it installs what the build needs.
set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/debian.sh
. "$root/tools/debian.sh"

usage() {
  cat <<'END'
usage: ./run.sh [OPTIONS OF up]

Builds Tapedeck and runs `tapedeck up` in the current folder: the whole engine in one process, trading on paper.
Installs a C compiler (apt, as root or with sudo) and Rust (rustup, for this user) where they are missing.

    ./run.sh                                    two made-up years of five instruments, a week a second
    ./run.sh --market recorded:FOLDER           recorded candles
    ./run.sh --speed max --exit-when-done       as fast as the machine can; prints the summary and ends

The tape is kept in ./tapedeck-data; killed, it goes on where it was. `up` prints the address of /ready and /metrics.
`./run.sh up --help` lists every option of `up`; other commands: `./run.sh trades`, `./run.sh why ID`, `./run.sh help`.
END
}

# What follows is for `up` unless it names a command itself.
case "${1:-}" in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*) set -- up "$@" ;;
esac

has cc || install_packages build-essential
install_rust "$root"

# Progress goes to standard error; the first build takes some minutes. cargo leaves its place to the program, so that
# a signal to this script stops it.
exec cargo run --release --locked --manifest-path "$root/Cargo.toml" --package tapedeck --bin tapedeck -- "$@"
