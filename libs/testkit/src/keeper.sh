# Ends a test server and removes its folder as soon as the process that owns it is gone, however it went.
#
# It is given on standard input, whose other end the owner holds and writes nothing more to: the kernel
# closes it when the owner dies. Whatever works inside the folder is the server's; nothing else on the
# machine is touched.
keep() {
  trap '' HUP INT QUIT TERM
  while read -r _; do :; done

  # PostgreSQL is asked first, because only an orderly end gives its shared memory back.
  postmaster=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)
  if [ -n "$postmaster" ] && [ "$(readlink "/proc/$postmaster/cwd")" = "$folder/data" ]; then
    signal CONT "$(alive)"
    signal QUIT "$postmaster"
    looks=0
    while [ -n "$(alive)" ] && [ "$looks" -lt 100 ]; do
      sleep 0.02
      looks=$((looks + 1))
    done
  fi
  while pids=$(alive) && [ -n "$pids" ]; do
    signal KILL "$pids"
    sleep 0.02
  done
  rm -rf "$folder"
}

# The root of a server may be another: its working directory is then seen below that.
alive() {
  find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$folder" -o -lname "$folder/*" -o -lname "/*$folder/*" \) 2>/dev/null | cut -d / -f 3
}

signal() {
  # shellcheck disable=SC2086 # a list of numbers
  [ -z "$2" ] || kill -s "$1" $2 2>/dev/null
}

folder=$2
keep
exit
