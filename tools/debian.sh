# shellcheck shell=bash
# What a build needs of a Debian machine, for run.sh and test.sh, which source this file: packages by apt (as root,
# or with sudo), Rust by its own installer. What is there already is left alone.

die() {
  echo "$0: $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# The packages must start no server, neither now (policy-rc.d says so to Debian's install scripts) nor at the next
# boot: the tests start throw-away servers of their own (libs/testkit).
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours='' failed=0 package
  has apt-get || die "install these first, there is no apt-get to do it: $*"
  [ "$(id -u)" -eq 0 ] || has sudo || die "there is no sudo; as root, run: apt-get install $*"
  echo "$0: installing $*" >&2
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  { as_root apt-get update -qq \
    && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >&2 || failed=1
  [ -z "$ours" ] || as_root rm -f "$policy"
  [ "$failed" -eq 0 ] || die "these packages cannot be installed: $*"
  has systemctl || return 0
  for package in "$@"; do
    case "$package" in
      postgresql | rabbitmq-server) as_root systemctl disable --quiet "$package" 2>/dev/null || true ;;
    esac
  done
}

# Whether Rust is there, and not older than Cargo.toml asks for.
has_rust() {
  local found
  has cargo && has rustc || return 1
  found=$(rustc --version | cut -d ' ' -f 2) || return 1
  [ "$(printf '%s\n' "$1" "$found" | sort -V | head -n 1)" = "$1" ]
}

# For the user who runs this, beside a Rust of the system's. $1: the folder of the workspace.
install_rust() {
  local wanted
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$1/Cargo.toml")
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  has_rust "$wanted" && return 0
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  if has rustup; then
    echo "$0: updating Rust to $wanted or newer" >&2
    if ! { rustup toolchain install stable --profile minimal && rustup default stable; } >&2; then
      die "rustup cannot install Rust"
    fi
  else
    echo "$0: installing Rust by its own installer (https://rustup.rs)" >&2
    has curl || install_packages curl ca-certificates
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs \
      | sh -s -- -y --profile minimal --no-modify-path >&2 || die "Rust cannot be installed: see https://rustup.rs"
  fi
  has_rust "$wanted" || die "Rust $wanted or newer is needed, and $(rustc --version) is found first: see PATH"
}
