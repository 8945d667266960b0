#!/usr/bin/env bash
# Makes a Debian 13 with RabbitMQ 4.0 in a folder, once, and prints the folder of programs that testkit starts
# it by (TAPEDECK_RABBITMQ_BIN). Needs root, and Debian's debootstrap; about three minutes the first time.
#   libs/testkit/rabbitmq4.sh FOLDER
set -euo pipefail
root=$(realpath -m "${1:?which folder?}")
mirror=${TAPEDECK_DEBIAN_MIRROR:-http://deb.debian.org/debian}
export DEBIAN_FRONTEND=noninteractive

if [ "$(id -u)" -ne 0 ]; then
  echo "rabbitmq4.sh: only root can make another Debian; or name a RabbitMQ 4 of yours in TAPEDECK_RABBITMQ_BIN" >&2
  exit 1
fi
if [ ! -e "$root/made" ]; then
  command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq debootstrap; } >&2
  rm -rf --one-file-system "$root"
  mkdir -p "$root/bin"
  debootstrap --variant=minbase trixie "$root/debian" "$mirror" >&2
  # Nothing starts by itself.
  printf '#!/bin/sh\nexit 101\n' >"$root/debian/usr/sbin/policy-rc.d"
  chmod 755 "$root/debian/usr/sbin/policy-rc.d"
  chroot "$root/debian" apt-get update -qq >&2
  chroot "$root/debian" apt-get install -y -qq --no-install-recommends rabbitmq-server >&2
  # The same process from the first line to the broker, so that whoever started it can end it.
  for program in rabbitmq-server rabbitmqctl; do
    cat >"$root/bin/$program" <<WRAPPER
#!/bin/sh
exec unshare --mount --propagation private sh -c '
  root=\$1 here=\$2; shift 2
  mount --bind /tmp "\$root/tmp" && mount --rbind /dev "\$root/dev" && mount -t proc proc "\$root/proc" || exit 1
  exec chroot "\$root" sh -c "cd \"\\\$1\"; shift; exec \"\\\$@\"" sh "\$here" "\$@"
' sh "$root/debian" "\$PWD" /usr/lib/rabbitmq/bin/$program "\$@"
WRAPPER
    chmod 755 "$root/bin/$program"
  done
  : >"$root/made"
fi
echo "$root/bin"
