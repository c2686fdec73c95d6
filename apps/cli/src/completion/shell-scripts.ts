export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What `canaryctl __complete` prints instead of words where the shell is to complete a path. */
export const FILES = ':files';

const BASH = `# canaryctl completion for bash: eval "$(canaryctl completion bash)" in ~/.bashrc
_canaryctl() {
  local line cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    if [[ $line == ${FILES} ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
    fi
    COMPREPLY+=("$line")
  done < <(canaryctl __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _canaryctl canaryctl
`;

const ZSH = `#compdef canaryctl
# canaryctl completion for zsh: eval "$(canaryctl completion zsh)" in ~/.zshrc after compinit
_canaryctl() {
  local line word help
  local -a offers
  for line in "\${(@f)$(canaryctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == ${FILES} ]]; then
      _files
      return
    fi
    word="\${line%%$'\\t'*}"
    help="\${line#*$'\\t'}"
    offers+=("\${word//:/\\\\:}:$help")
  done
  (( \${#offers} )) && _describe canaryctl offers
}
compdef _canaryctl canaryctl
`;

const FISH = `# canaryctl completion for fish: canaryctl completion fish | source
function __canaryctl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l offers (canaryctl __complete -- $words[2..-1] 2>/dev/null)
    if test "$offers[1]" = "${FILES}"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $offers
    end
end
complete -c canaryctl -f -a '(__canaryctl_complete)'
`;

/** The script that teaches a shell to ask `canaryctl __complete`: it never has to be made anew for a new command. */
export const SHELL_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
