#!/bin/sh
# Prints a C header with the completion scripts as strings: completion-scripts.sh BASH ZSH FISH
set -eu
for name in bash zsh fish; do
	printf 'static const char completion_%s[] =\n' "$name"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' -e 's/.*/	"&\\n"/' "$1"
	printf '\t;\n'
	shift
done
