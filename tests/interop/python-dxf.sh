#!/bin/sh
# Installs one version of python-dxf into the cache unless it is there, and prints the path of its command.
set -eu
cache=${DAVIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/davit-interop}
place=$cache/dxf-$1
if [ ! -e "$place/complete" ]; then
	rm -rf "$place"
	mkdir -p "$cache"
	/usr/bin/python3 -m venv "$place"
	"$place/bin/python" -m pip install -q "python-dxf==$1" >&2
	touch "$place/complete"
fi
echo "$place/bin/dxf"
