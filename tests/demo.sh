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
find include src docs -type f -size +0 | sort | head -n 60 > "$work/files"
count=$(wc -l < "$work/files")
say "1. Push a file tree: $count files of davit's source, each a blob, all under the alias v1"
echo "${dim}\$${off} for file in …; do davit registry blob push $host/demo/tree \$file; done"
begun=$(date +%s%N)
while read -r file; do
	davit registry blob push -q "$host/demo/tree" "$file"
done < "$work/files" > "$work/pushed"
took
sed -n 's/^\(sha256:[0-9a-f]*\).*/\1/p' "$work/pushed" > "$work/digests"
# shellcheck disable=SC2046  # one word per digest
davit registry alias set -q "$host/demo/tree:v1" $(cat "$work/digests") > "$work/manifest"
echo "${dim}\$${off} davit registry alias set $host/demo/tree:v1 sha256:… sha256:… …"

say "2. Push a file of $mib MiB under the alias big"
head -c "${mib}M" /dev/urandom > "$work/big.bin"
show davit registry blob push "$host/demo/big" "$work/big.bin" | tee "$work/out"
digest=$(sed -n 's/^\(sha256:[0-9a-f]*\).*/\1/p' "$work/out" | head -n 1)
show davit registry alias set -q "$host/demo/big:big" "$digest"

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
if davit registry blob stat "$host/demo/big@$digest" > "$work/out" 2>&1; then
	echo 'the blob is still there' >&2
	exit 1
fi
cat "$work/out"

say "Done: all that was pulled equals what was pushed."
