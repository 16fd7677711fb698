# fish completion for davit and dxf: asks the program itself.
function __davit_complete
	set -l words (commandline -opc)
	set -l last (commandline -ct)
	set words[1] (string replace -r '.*/' '' -- $words[1])
	for line in (davit __complete -- $words "$last" 2>/dev/null)
		switch $line
			case :file
				__fish_complete_path "$last"
			case :dir
				__fish_complete_directories "$last"
			case '*'
				echo $line
		end
	end
end
complete -c davit -f -a '(__davit_complete)'
complete -c dxf -f -a '(__davit_complete)'
