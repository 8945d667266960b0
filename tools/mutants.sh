#!/usr/bin/env bash
# Mutation tests of the crates that touch money (`./test.sh --long mutants [CRATE…]`): each crate's own tests against
# every small change of its code. Fails where fewer than 95 % of the changes that compile are caught, and lists the
# others.
set -euo pipefail
version=27.1.0
crates=(position-sizer trade-abstraction order-tracker position-tracker portfolio-tracker portfolio-vs-positions brake replica domain venue-paper)
[ $# -eq 0 ] || crates=("$@")
target="${CARGO_TARGET_DIR:-target}"

if [ "$(cargo mutants --version 2>/dev/null)" != "cargo-mutants $version" ]; then
  cargo install --locked --version "$version" --root "$target/tools" cargo-mutants
  export PATH="$PWD/$target/tools/bin:$PATH"
fi
# It ends a run at the first test that fails.
tool=cargo
! cargo nextest --version >/dev/null 2>&1 || tool=nextest

failed=0
count() { cat "$1" 2>/dev/null | wc -l; }
for crate in "${crates[@]}"; do
  out="$target/mutants/$crate"
  mkdir -p "$out"
  status=0
  CARGO_PROFILE_DEV_DEBUG=0 nice cargo mutants --package "$crate" --test-tool "$tool" --output "$out" || status=$?
  # 2: some are missed, 3: some took too long, which is caught too.
  case "$status" in 0 | 2 | 3) ;; *) exit "$status" ;; esac
  found="$out/mutants.out"
  missed=$(count "$found/missed.txt")
  caught=$(($(count "$found/caught.txt") + $(count "$found/timeout.txt")))
  [ "$((caught + missed))" -gt 0 ] || { echo "$crate: nothing was changed" >&2; exit 1; }
  percent=$((100 * caught / (caught + missed)))
  echo "$crate: $caught of $((caught + missed)) caught, $percent %; missed:"
  cat "$found/missed.txt"
  [ "$percent" -ge 95 ] || failed=1
done
[ "$failed" -eq 0 ] || { echo "a crate is below 95 %" >&2; exit 1; }
