# bash completion for davit and dxf: asks the program itself.
_davit()
{
	local cur words cword line word file
	COMPREPLY=()
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n =: cur words cword
	else
		cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	fi
	file=$cur
	[[ $cur != --*=* ]] || file=${cur#*=}
	words[0]=${words[0]##*/}
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		case $word in
		:file) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$file") ;;
		:dir) compopt -o filenames; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$file") ;;
		*) COMPREPLY+=("$word") ;;
		esac
	done < <(davit __complete -- "${words[@]:0:cword+1}" 2>/dev/null)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
	[[ $cur != --*=* ]] || COMPREPLY=("${COMPREPLY[@]#*=}")
}
complete -F _davit davit dxf
