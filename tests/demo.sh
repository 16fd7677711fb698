#!/bin/sh
# Shows davit at work: stores a file tree and a large file in a real registry, and gets them back with
# dxf. Everything happens in a temporary directory and on a free loopback port.
#
#   tests/demo.sh [BUILD-DIR]      DEMO_MIB=16 makes the large file smaller
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
mib=${DEMO_MIB:-256}
work=$(mktemp -d "${TMPDIR:-/tmp}/davit-demo.XXXXXX")
server=
PATH="$build:$PATH"

# Called on every exit, also by signals.
clean()
{
	trap - EXIT INT TERM HUP
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || :
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m'); else bold='' dim='' off=''; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
# show COMMAND…: print it as one would type it, run it, tell how long it took.
show()
{
	echo "${dim}\$${off} $(echo "$*" | sed "s#$work/##g")"
	begun=$(date +%s%N)
	"$@"
	took
}
# took: the time since $begun.
took()
{
	now=$(date +%s%N)
	printf '%s  %d.%02d s%s\n' "$dim" $(((now - begun) / 1000000000)) $(((now - begun) / 10000000 % 100)) "$off"
}

PYTHONPATH="$root/tests" PYTHONDONTWRITEBYTECODE=1 TMPDIR="$work" \
	/usr/bin/python3 -m fake.registries plain > "$work/facts" &
server=$!
until grep -q READY "$work/facts"; do
	kill -0 "$server" 2>/dev/null || { echo 'the registry did not start' >&2; exit 1; }
	sleep 0.05
done
host=$(sed -n 's/^HOST=//p' "$work/facts")
export HOME="$work" DXF_HOST="$host" DXF_INSECURE=1
say "docker-registry listens on $host"

cd "$root"
find include src -type f -size +0 | sort | head -n 60 > "$work/files"
count=$(wc -l < "$work/files")
say "1. Push a file tree: $count files of davit's source, each a blob, all under the alias v1"
echo "${dim}\$${off} davit registry blob push $host/demo/tree:v1 \$(find include src -type f)"
begun=$(date +%s%N)
tr '\n' '\0' < "$work/files" | xargs -0 davit registry blob push -q "$host/demo/tree:v1" > "$work/digests"
took

say "2. Push a file of $mib MiB under the alias big"
head -c "${mib}M" /dev/urandom > "$work/big.bin"
begun=$(date +%s%N)
echo "${dim}\$${off} davit registry blob push $host/demo/big:big big.bin"
davit registry blob push "$host/demo/big:big" "$work/big.bin" | tee "$work/digest"
took
digest=$(cat "$work/digest")

say '3. Pull both back with dxf, and compare'
echo "${dim}\$${off} for digest in \$(dxf get-alias demo/tree v1); do dxf pull-blob demo/tree \$digest > …; done"
begun=$(date +%s%N)
dxf get-alias demo/tree v1 > "$work/list"
cmp "$work/digests" "$work/list"
while read -r file && read -r one <&3; do
	mkdir -p "$work/back/$(dirname "$file")"
	dxf pull-blob demo/tree "$one" > "$work/back/$file"
	cmp "$file" "$work/back/$file"
done < "$work/files" 3< "$work/list"
took
echo "the tree is the same, file by file"
echo "${dim}\$${off} dxf pull-blob demo/big @big > back.bin"
begun=$(date +%s%N)
dxf pull-blob demo/big @big > "$work/back.bin"
took
cmp "$work/big.bin" "$work/back.bin"
echo "the big file is the same, byte by byte"

say '4. List'
show davit registry repos "$host"
show davit registry tags "$host/demo/tree"
show dxf list-aliases demo/big

say '5. Delete'
show davit registry alias rm "$host/demo/big:big"
show davit registry blob rm "$host/demo/big@$digest"
echo "${dim}\$${off} davit registry blob stat $host/demo/big@$digest"
if davit registry blob stat "$host/demo/big@$digest" > "$work/out" 2>&1; then
	echo 'the blob is still there' >&2
	exit 1
fi
cat "$work/out"

say "Done: all that was pulled equals what was pushed."
