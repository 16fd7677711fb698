#!/bin/sh
# Other clients read what davit wrote, and the reverse: python-dxf, crane, oras, regctl, skopeo.
#
#   tests/interop/run.sh [BUILD-DIR]
#
# The clients are installed once, into ${DAVIT_CACHE:-$XDG_CACHE_HOME/davit-interop}. The last line is
# "N passed, N failed". Exit: 0 all passed, 1 something failed, 75 a client could not be had because a
# package registry did not answer (what could be run was run).
set -eu

PYTHON_DXF='11.4.0 12.1.1'
CRANE=github.com/google/go-containerregistry/cmd/crane@v0.20.6
REGCTL=github.com/regclient/regclient/cmd/regctl@v0.9.2
ORAS_MODULE=oras.land/oras ORAS_VERSION=v1.2.3

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${DAVIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/davit-interop}
build=$(cd "${1:-${DAVIT_BUILD:-$root/build}}" && pwd)
export DAVIT_CACHE="$cache" DAVIT_BUILD="$build" PYTHONPATH="$root/tests" PYTHONDONTWRITEBYTECODE=1
mkdir -p "$cache/bin"
log=$cache/install.log
: > "$log"
missing=

# want NAME COMMAND…: run COMMAND to install NAME; on failure remember it and say why.
want()
{
	name=$1
	shift
	echo "interop: installing $name" >&2
	if ! "$@" >> "$log" 2>&1; then
		missing="$missing $name"
		echo "interop: $name: its package registry does not answer, or it does not build:" >&2
		tail -n 3 "$log" >&2
	fi
}

# A module of its own, because "go install" also asks for the list of all versions, which not every
# mirror has.
# shellcheck disable=SC2317  # called through want
oras() (
	rm -rf "$cache/oras-src"
	mkdir "$cache/oras-src" && cd "$cache/oras-src" || return 1
	printf 'module interop\n\ngo 1.23\n\nrequire %s %s\n' "$ORAS_MODULE" "$ORAS_VERSION" > go.mod
	go build -mod=mod -o "$cache/bin/oras" "$ORAS_MODULE/cmd/oras"
)

# stamp NAME VERSION COMMAND…: install unless this version is there.
stamp()
{
	stamp=$cache/$1.version
	if [ "$(cat "$stamp" 2>/dev/null)" != "$2" ]; then
		rm -f "$stamp"
		name=$1 version=$2
		shift 2
		want "$name" "$@"
		case " $missing " in *" $name "*) ;; *) echo "$version" > "$cache/$name.version" ;; esac
	fi
}

for version in $PYTHON_DXF; do
	[ -e "$cache/dxf-$version/complete" ] || want "python-dxf-$version" "$here/python-dxf.sh" "$version"
done
export GOBIN="$cache/bin" GOFLAGS="${GOFLAGS:-} -trimpath"
stamp crane "$CRANE" go install "$CRANE"
stamp regctl "$REGCTL" go install "$REGCTL"
stamp oras "$ORAS_VERSION" oras

status=0
# shellcheck disable=SC2086  # a list of words
/usr/bin/python3 -m interop.scenarios "$cache" $missing || status=$?
if [ -n "$missing" ]; then
	exit 75
fi
exit "$status"
