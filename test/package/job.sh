# What happens to a machine that lnetd was installed on, from its first boot to purge. Only looks: each line of /job/seen
# is a name and what was seen, and systemd.test.ts says what must be there. /job has the packages lnetd.deb and next.deb.
set -u
exec 2>&1
set -x

see() {
  printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')" >>/job/seen
}

# within SECONDS COMMAND...: whether it succeeded within that time.
within() {
  end=$(($(cut -d. -f1 /proc/uptime) + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] || return 1
    sleep 0.2
  done
}

show() {
  systemctl show --property "$2" --value "$1"
}

# answers to `node -p EXPRESSION` over the JSON of standard input, as v.
query() {
  /srv/lnet/node -e "const v = JSON.parse(require('fs').readFileSync(0)); console.log($1)"
}

other() {
  nsenter --target "$noether" --net --mount --wd=/ -- "$@"
}

other_control() {
  other /srv/lnet/node /srv/lnet/lnetctl.js "$@"
}

in_mesh() {
  lnetctl peers --json | query 'v.peers.filter(p => p.state === "up").length' | grep -qx 1
}

state_at_other() {
  other_control peers --json | query 'v.peers[0].state'
}

install() {
  apt-get install -y --no-install-recommends --allow-downgrades "$1"
}

systemctl is-system-running --wait >/dev/null
see failed "$(systemctl list-units --failed --no-legend --plain | awk '{ print $1 }')"
cp -r /usr/lib/lnetd /srv/lnet

# Without any network
within 120 lnetctl peers
see 'without network' "$(show lnetd ActiveState) $(show lnetd StatusText)"
see order "$(show lnetd After)"
pid=$(show lnetd MainPID)
see user "$(ps -o user= -p "$pid")"
see capabilities "$(sed -n 's/^Cap\(Eff\|Bnd\|Amb\):\t/\1 /p' "/proc/$pid/status")"
see 'no new privileges' "$(sed -n 's/^\(NoNewPrivs\):\t/\1 /p' "/proc/$pid/status")"
see 'system calls' "$(show lnetd SystemCallFilter)"
see writable "$(nsenter --target "$pid" --mount --wd=/ sh -c \
  'for place in /etc /usr /root /proc/sys/kernel/hostname /sys /var/lib /var/lib/lnetd /run/lnetd; do [ -w $place ] && echo $place; done')"
see devices "$(nsenter --target "$pid" --mount --wd=/ sh -c 'ls /dev/net/tun /dev/ubda /dev/mem 2>/dev/null')"
see score "$(systemd-analyze security lnetd --no-pager | tail -n 1)"
see socket "$(stat -c '%U %G %a' /run/lnetd/lnetd.sock)"
see secret "$(stat -c '%U %a' /etc/lnetd/mesh.secret)"

# The network comes later, and another node with it
ip netns add noether
ip link add eth0 type veth peer name eth0 netns noether
ip address add 192.0.2.1/24 dev eth0
ip link set eth0 up
ip -n noether address add 192.0.2.2/24 dev eth0
ip -n noether link set eth0 up
ip -n noether link set lo up
within 20 sh -c 'lnetctl token --bootstrap 192.0.2.1 >/srv/token'
mkdir -p /srv/noether
cp -a /etc /srv/noether/etc
rm -r /srv/noether/etc/lnetd
# Not over the directories of the package itself: what is mounted there goes, in every namespace, when purge removes them.
cat >/srv/noether/run <<'RUN'
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mount --bind /srv/noether/etc /etc
mkdir /etc/lnetd /var/lib/lnetd
/srv/lnet/node /srv/lnet/lnetctl.js join --token-file /srv/token --name noether
exec /srv/lnet/node /srv/lnet/lnetd.js
RUN
ip netns exec noether unshare --mount sh /srv/noether/run >/job/noether.log 2>&1 &
noether=$!
within 120 in_mesh
see mesh "$(lnetctl peers --json | query 'v.peers.map(p => `${p.name} ${p.state}`)')"
see tunnel "$(lnetctl status --json | query 'v.tunnel.implementation')"
overlay=$(lnetctl peers --json | query 'v.self.segments[0].addresses.find(a => !a.includes(":")).split("/")[0]')
within 30 other ping -c 1 -W 1 "$overlay"
see ping "$(other ping -c 3 -q "$overlay" | grep transmitted)"
key=$(wg show lnet0 public-key)

# What a report of it holds
lnetctl bugreport --output /srv/report.tar.gz >/srv/report.txt
unpacked() {
  tar -xzOf /srv/report.tar.gz --wildcards "*/$1"
}
see 'report lacks' "$(sed -n '/^It lacks/,/^[^ ]/p' /srv/report.txt)"
see 'report log' "$(unpacked log.txt | grep -o '"event":"daemon.ready"')"
see 'report service' "$(unpacked service.txt | grep -m 1 ^ActiveState)"
see 'report secrets' "$(unpacked '*' | grep -c -F -e "$(cat /etc/lnetd/mesh.secret)" -e "$key" -e "$(wg show lnet0 private-key)" -e 192.0.2.)"

# Whatever happens to the daemon, traffic goes on
other ping -i 0.05 -q "$overlay" >/job/ping.log &
printf '%s\n' 'metrics: 127.0.0.1:51822' 'names: true' >>/etc/lnetd/lnetd.yaml
printf '127.0.0.1\tlocalhost\n' >/etc/hosts
cp -p /etc/hosts /srv/hosts
systemctl reload lnetd
within 10 lnetctl peers
# Prints the value of noether's lnet_member_up.
scrape() {
  /srv/lnet/node -e "fetch('http://127.0.0.1:51822/metrics').then(reply => reply.text())
    .then(text => console.log(/^lnet_member_up{member=\"noether\",.*} (.)$/m.exec(text)[1]))"
}
within 20 getent hosts noether.lnet
see names "$(getent ahostsv4 noether.lnet | head -n 1 | awk '{ print $1 }') $(other_control peers --json | query 'v.self.segments[0].addresses.find(a => !a.includes(":")).split("/")[0]') $(stat -c '%U %a' /etc/hosts)"
within 10 scrape
see metrics "$(scrape)"
see reload "$(show lnetd ActiveState) $([ "$(show lnetd MainPID)" = "$pid" ] && echo same process)"
systemctl stop lnetd
sleep 2
see stop "$(show lnetd ActiveState) $(ip -brief link show dev vlnet0 | awk '{ print $1 }')"
systemctl start lnetd
kill -KILL "$(show lnetd MainPID)"
sleep 1
within 120 in_mesh
see 'kill -9' "$(show lnetd ActiveState) $(show lnetd NRestarts) restart"
pid=$(show lnetd MainPID)
install /job/next.deb >/job/upgrade.log 2>&1
see upgrade "$? $(dpkg-query -W -f '${Version}' lnetd) $([ "$(show lnetd MainPID)" != "$pid" ] && echo another process)"
within 120 in_mesh
see 'after upgrade' "$(lnetctl peers --json | query 'v.self.segments[0].addresses.join()' | grep -qF "$overlay" && echo same address) \
$([ "$(wg show lnet0 public-key)" = "$key" ] && echo same key)"
install /job/lnetd.deb >/job/downgrade.log 2>&1
see downgrade "$? $(dpkg-query -W -f '${Version}' lnetd)"
within 120 in_mesh
pkill -INT -x ping
sleep 1
see traffic "$(grep transmitted /job/ping.log)"

# A state that is newer than the package
systemctl stop lnetd
cp -a /var/lib/lnetd/state.json /srv/state.json
install /job/next.deb >/dev/null 2>&1
systemctl stop lnetd
sed -i 's/"version": [0-9]*/"version": 999/' /var/lib/lnetd/state.json
install /job/lnetd.deb >/job/refused.log 2>&1
see 'refused downgrade' "$? $(dpkg-query -W -f '${Version} ${db:Status-Status}' lnetd) $(grep -c 'newer lnetd' /job/refused.log)"
cp -a /srv/state.json /var/lib/lnetd/state.json
systemctl start lnetd
within 120 in_mesh

# A configuration that is wrong
cp -a /etc/lnetd/lnetd.yaml /srv/lnetd.yaml
echo 'no_such_key: 1' >>/etc/lnetd/lnetd.yaml
systemctl restart lnetd
sleep 4
see 'wrong configuration' "$(show lnetd ActiveState) $(show lnetd NRestarts) restarts $(show lnetd ExecMainStatus)"
see 'network meanwhile' "$(other ping -c 3 -q "$overlay" | grep transmitted)"
cp -a /srv/lnetd.yaml /etc/lnetd/lnetd.yaml
systemctl start lnetd
within 120 in_mesh

# A daemon that hangs
mkdir -p /run/systemd/system/lnetd.service.d
printf '[Service]\nWatchdogSec=4\n' >/run/systemd/system/lnetd.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart lnetd
pid=$(show lnetd MainPID)
sleep 6
see watchdog "$([ "$(show lnetd MainPID)" = "$pid" ] && echo fed)"
kill -STOP "$pid"
within 60 sh -c "[ \$(systemctl show -p MainPID --value lnetd) != $pid ] && systemctl is-active lnetd"
see 'watchdog bites' "$? $(show lnetd Result) $(show lnetd ActiveState)"
rm -r /run/systemd/system/lnetd.service.d
systemctl daemon-reload

# Down stays down
lnetctl down
sleep 4
see down "$(show lnetd ActiveState) $(show lnetd Result) $(ip -brief link show type vxlan | wc -l) devices"

# WireGuard in user space outlives lnetd
printf 'tunnel:\n  implementation: userspace\n' >>/etc/lnetd/lnetd.yaml
systemctl start lnetd
within 120 in_mesh
see 'user space' "$(show lnetd-wireguard ActiveState) $(lnetctl status --json | query 'v.tunnel.implementation') \
$(ps -o user= -p "$(show lnetd-wireguard MainPID)")"
see 'user space ping' "$(other ping -c 3 -q "$overlay" | grep transmitted)"
pid=$(show lnetd-wireguard MainPID)
other ping -i 0.05 -q "$overlay" >/job/ping.log &
systemctl restart lnetd
systemctl stop lnetd
sleep 1
install /job/next.deb >/dev/null 2>&1
systemctl start lnetd
within 120 in_mesh
pkill -INT -x ping
sleep 1
see 'user space restart' "$([ "$(show lnetd-wireguard MainPID)" = "$pid" ] && echo same process) $(grep transmitted /job/ping.log)"

# Removal
apt-get remove -y lnetd >/job/remove.log 2>&1
see remove "$? $(ls /sys/class/net | tr '\n' ' ')$(nft list ruleset)"
see 'remove hosts' "$(cmp /etc/hosts /srv/hosts && echo as before)"
see 'remove keeps' "$(ls /etc/lnetd /var/lib/lnetd)"
see 'remove ends' "$(pgrep -u lnetd -l)"
within 20 sh -c "[ \$($(command -v nsenter) --target $noether --net --mount --wd=/ /srv/lnet/node /srv/lnet/lnetctl.js peers --json | /srv/lnet/node -e \"console.log(JSON.parse(require('fs').readFileSync(0)).peers[0].state)\") = left ]"
see 'remove tells' "$(state_at_other)"
apt-get purge -y lnetd >/job/purge.log 2>&1
see purge "$? $(ls -d /etc/lnetd /var/lib/lnetd /var/cache/lnetd /var/cache/lnetctl /run/lnetd 2>/dev/null) $(grep -c 'lnetd: removing' /job/purge.log)"

# A machine that nobody logs in to
other_control token --bootstrap 192.0.2.2 >/srv/token
see token "$(cut -c1-6 /srv/token)"
(umask 077 && echo "LNETD_TOKEN=$(cat /srv/token)" >/etc/default/lnetd)
install /job/lnetd.deb >/job/install.log 2>&1
within 120 in_mesh
see unattended "$(show lnetd ActiveState) $(lnetctl peers --json | query 'v.peers.filter(p => p.state === "up").map(p => p.name)')"
see 'unattended secret' "$(journalctl -b --no-pager | grep -cF "$(cut -c1-40 /srv/token)") $(tr '\0' '\n' <"/proc/$(show lnetd MainPID)/environ" | grep -c TOKEN)"
apt-get purge -y lnetd >/dev/null 2>&1

# And one that somebody does, who makes mistakes first
echo 'LNETD_TOKEN=' >/etc/default/lnetd
install /job/lnetd.deb >/dev/null 2>&1
within 60 systemctl is-failed lnetd
see 'empty token' "$(show lnetd ActiveState) $(journalctl -b --no-pager -u lnetd -o cat | grep -m 1 -o 'this is no token')"
rm /etc/default/lnetd
systemctl reset-failed lnetd
see idle "$(show lnetd ActiveState) $(systemctl is-enabled lnetd)"
/srv/lnet/node -e 'require("dgram").createSocket("udp4").bind(51820)' &
taker=$!
within 20 sh -c 'ss -Hlun | grep -q :51820'
lnetctl join --token-file /srv/token --start >/job/refused.log 2>&1
see refused "$? $(tail -n +3 /job/refused.log)"
kill "$taker"
lnetctl join --token-file /srv/token --start --force >/job/join.log 2>&1
see join "$? $(grep -o 'in the mesh with 1 other' /job/join.log)"

# And one that a playbook does
cp -a /etc/lnetd /srv/dropped
apt-get purge -y lnetd >/dev/null 2>&1
mkdir /etc/lnetd
cp /srv/dropped/lnetd.yaml /srv/dropped/mesh.secret /etc/lnetd
chmod 600 /etc/lnetd/mesh.secret
install /job/lnetd.deb >/dev/null 2>&1
within 120 in_mesh
see dropped "$(show lnetd ActiveState) $(stat -c %U /etc/lnetd/mesh.secret)"
journalctl -b --no-pager -o short-precise -u 'lnetd*' >/job/journal.log
see end reached
